"""Letters as they would be sent now, to look at: of a notice, or of words being written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.utils.translation import gettext as _

from billclock import clock
from billclock.billing.clients import Account, Client, Contact
from billclock.billing.errors import BillingError
from billclock.billing.facts import Facts
from billclock.billing.letters import composing, readers, words
from billclock.billing.letters.composing import Composer
from billclock.billing.letters.gathering import gather
from billclock.billing.letters.news import News, NoLongerSoError
from billclock.billing.letters.words import Words
from billclock.billing.money import Money
from billclock.billing.notice_kinds import kind_of
from billclock.billing.notifications import Notice, Template
from billclock.billing.provider import Provider
from billclock.outbox.channels import Letter
from billclock.outbox.models import Message

MOST_TRIED = 5
"""Notices that are tried before made-up facts are taken."""


@dataclass(frozen=True, slots=True)
class Look:
    """A notice's letters as they would leave now, one a reader; `why_not` where none would."""

    letters: Sequence[Letter] = ()
    why_not: str = ""


def of_notice(notice: Notice) -> Look:
    """Give a notice's letters; their ways to unsubscribe lead nowhere."""
    try:
        kind, news = kind_of(notice.kind), _news(notice)
        if not news.facts.keys() >= set(kind.facts):  # superseded, or its message has gone
            return Look(why_not=_("What it had to tell was not kept."))
        found = readers.readers(news.account, kind)
        facts = gather(news)
        composer = Composer()
        letters = [
            composer.compose(news, kind, facts, _copy(one), key="", at=clock.now())
            for one in found.people or [_nobody(news.account)]
        ]
    except (NoLongerSoError, BillingError, ObjectDoesNotExist) as error:
        return Look(why_not=str(error))
    return Look(letters, found.why_nobody)


def of_template(template: Template) -> tuple[Words, bool]:
    """Render words on the facts of their kind's newest notice; tell whether these are real.

    Raises WordsError where they cannot be rendered.
    """
    found = _real(template)
    news, facts = found or _made_up(template)
    contact = Contact(name=_("Ada Byron"), email="ada@client.example", language=template.language)
    values = composing.values_of(news, contact, facts, "", template.language)
    return words.of_provider(template, values), found is not None


def _news(notice: Notice) -> News:
    accounts = Account.objects.select_related("client", "provider", "funds")
    message = Message.objects.filter(dedupe_key=notice.message).first() if notice.message else None
    told: Mapping[str, Any] = message.payload if message else {}
    return News(
        account=accounts.get(pk=notice.account_id), kind=notice.kind, subject=notice.subject,
        period=notice.period, threshold=notice.threshold, facts=told.get("facts", {}),
    )  # fmt: skip


def _copy(contact: Contact) -> Contact:
    """Give somebody without his key, so that no link of the letter is his."""
    return Contact(name=contact.name, email=contact.email, language=contact.language)


def _nobody(account: Account) -> Contact:
    return Contact(name="", email="nobody@invalid", language=account.provider.language)


def _real(template: Template) -> tuple[News, Facts] | None:
    notices = Notice.objects.filter(kind=template.kind).exclude(message="")
    if template.provider_id:
        notices = notices.filter(account__provider=template.provider_id)
    for notice in notices.order_by("-pk")[:MOST_TRIED]:
        try:
            news = _news(notice)
            return news, gather(news)
        except (NoLongerSoError, BillingError, ObjectDoesNotExist):
            continue
    return None


def _made_up(template: Template) -> tuple[News, Facts]:
    provider = template.provider or Provider.objects.first() or Provider(name="Example Hosting")
    client = Client(name=_("Ada Byron"), number="C-1")
    account = Account(number="A-1", client=client, provider=provider, currency_id="EUR")
    today = clock.today()
    return News(account, template.kind, 0, today, 0, {}), _facts(today)


def _facts(today: date) -> Facts:
    """Give a fact for each name that a letter's words may use."""
    week, amount = today + timedelta(days=7), Money(11_90, "EUR")
    lines = [{"name": "shop.example (Web S)", "note": _("until %s") % week, "amount": amount}]
    part = {"title": "", "lines": lines, "left_out": 0, "total": None}
    amounts = ("amount", "total", "need", "missing", "balance", "limit", "left", "debt")
    return {
        **dict.fromkeys(amounts, amount),
        "parts": [part], "count": 1, "days": 7, "grace": 3, "used": 12, "most": 10,
        "ends_on": week, "due_on": week, "paid_on": None, "switched_on": today,
        "service": "shop.example (Web S)", "document": _("Invoice"), "number": "2027-000001",
        "addon": "Disk", "method": "Card", "name": "shop.example", "step": "DNS", "by": "staff",
        "why": "…", "title": "…", "text": "…",
    }  # fmt: skip
