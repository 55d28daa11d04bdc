"""A notice's letter to one reader: which words, in which language, from whom."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import formataddr, parseaddr
from socket import getfqdn
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import override

from billclock.billing.clients import Contact
from billclock.billing.facts import Facts, shown
from billclock.billing.letters import readers, words
from billclock.billing.letters.news import News
from billclock.billing.letters.words import Words, WordsError
from billclock.billing.notice_kinds import Kind
from billclock.billing.notifications import Template
from billclock.billing.provider import Provider
from billclock.outbox.channels import Attachment, Letter

FALLBACK = "en"

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Composer:
    """Composes one round's letters; reads each template once."""

    _known: dict[tuple[int, str], list[Template]] = field(default_factory=dict)

    def compose(
        self, news: News, kind: Kind, facts: Facts, contact: Contact, *, key: str, at: datetime,
        attached: Sequence[Attachment] = (),
    ) -> Letter:  # fmt: skip
        """Write the mail that tells a contact the facts; `key` and `at` are the message's."""
        provider = news.account.provider
        unsubscribe = readers.link(contact, kind)
        found = self._words(news, contact, facts, unsubscribe)
        address = contact.email.strip()
        return Letter(
            channel="mail",
            dedupe_key=f"{key} {address}",
            recipients=(address,),
            at=at,
            sender=sender(provider),
            subject=found.subject,
            body=found.text,
            headers=_headers(unsubscribe),
            payload={"html": found.html, "attached": attached},
        )

    def _words(self, news: News, contact: Contact, facts: Facts, unsubscribe: str) -> Words:
        """Give the words of the first language that has any, a provider's own before ours.

        Own words that cannot be rendered are told of in the log, and the next ones are taken.
        """
        for language in dict.fromkeys((contact.language, news.account.provider.language, FALLBACK)):
            values = values_of(news, contact, facts, unsubscribe, language)
            for template in self._templates(news.account.provider, news.kind, language):
                try:
                    return words.of_provider(template, values)
                except WordsError as error:
                    log.error("%s; our own words were sent instead", error)  # noqa: TRY400
            if words.written(news.kind, language):
                return words.of_ours(news.kind, language, values)
        raise WordsError(news.kind, "text", LookupError("it is written in no language"))

    def _templates(self, provider: Provider, kind: str, language: str) -> list[Template]:
        """Give the provider's template, then that of all providers, where there are any."""
        place = (provider.pk, kind)
        if place not in self._known:
            found = Template.objects.filter(kind=kind, channel=readers.MAIL)
            theirs = found.filter(provider=provider), found.filter(provider=None)
            self._known[place] = [row for rows in theirs for row in rows]
        return [row for row in self._known[place] if row.language == language]


def sender(provider: Provider) -> str:
    """Give a provider's name and address for letters."""
    _name, address = parseaddr(settings.MAIL_FROM)
    address = provider.notice_email or address or f"root@{getfqdn()}"
    return formataddr((" ".join(provider.name.split()), address))


def values_of(
    news: News, contact: Contact, facts: Facts, unsubscribe: str, language: str
) -> dict[str, Any]:
    """Give what a letter's words may name, as a language writes it."""
    provider = news.account.provider
    with override(language):
        name = contact.name or news.account.client.name
        return {
            **shown(facts, words.locale(language)),
            "language": language,
            "client": news.account.client.name,
            "contact": contact.name,
            "account": news.account.number,
            "provider": {
                "name": provider.name,
                "site": provider.site,
                "support": provider.support_email,
            },
            "link": provider.site,
            "unsubscribe": unsubscribe,
            "hello": _("Hello, %(name)s!") % {"name": name},
            "say": {
                "total": _("Total"),
                "more": _("and others:"),
                "unsubscribe": _("Do not send me such letters"),
                "always": _("Such letters cannot be switched off: they tell of your services or"
                            " money."),
            },
        }  # fmt: skip


def _headers(unsubscribe: str) -> tuple[tuple[str, str], ...]:
    """Give the headers of automatic mail, and those by which mail programs unsubscribe."""
    automatic = (("Auto-Submitted", "auto-generated"),)
    if not unsubscribe:
        return automatic
    return (
        *automatic,
        ("List-Unsubscribe", f"<{unsubscribe}>"),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
    )
