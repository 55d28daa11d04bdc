"""Letters to clients: what each was told, whether it arrived, how it reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import BigIntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.fields.json import KT
from django.db.models.functions import Cast
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from billclock.accounts.caseless import equals
from billclock.billing.letters import previewing
from billclock.billing.notice_kinds import KINDS
from billclock.billing.notifications import CHANNEL, SUPERSEDED, Notice
from billclock.outbox import messages as outbox
from billclock.outbox.models import Message
from billclock.outbox.models import State as Where
from billclock.web import searched
from billclock.web.client_words import letter_said
from billclock.web.kit import detail, rights
from billclock.web.kit.columns import Day, Link, Moment, State, Text
from billclock.web.kit.filters import Choice, Days
from billclock.web.kit.marks import Mark
from billclock.web.kit.panels import Panel
from billclock.web.kit.section import Act, Given, Section
from billclock.web.policy import LETTER
from billclock.web.visible import visible

MOST_FOUND = 5000  # messages of a state that few are in
OWN_SUBJECT = KT("payload__facts__title")  # of what staff wrote, in its message
UNTOLD, GONE = "untold", "gone"
MARKS = {
    Where.QUEUED: Mark("hourglass", "now", pgettext_lazy("letter", "waiting")),
    Where.HELD: Mark("hourglass", "now", pgettext_lazy("letter", "waiting")),
    Where.SENDING: Mark("send", "now", pgettext_lazy("letter", "leaving")),
    Where.SENT: Mark("circle-check", "ok", pgettext_lazy("letter", "sent")),
    Where.FAILED: Mark("mail-x", "bad", pgettext_lazy("letter", "given up")),
    Where.DROPPED: Mark("x", "off", pgettext_lazy("letter", "not needed")),
    Where.UNWANTED: Mark("x", "off", pgettext_lazy("letter", "left off")),
    UNTOLD: Mark("skip-forward", "off", pgettext_lazy("letter", "superseded")),
    GONE: Mark("history", "off", pgettext_lazy("letter", "no longer kept")),
}
FILTER = {
    name: MARKS[name].word
    for name in (Where.FAILED, Where.QUEUED, Where.SENT, Where.DROPPED, Where.UNWANTED)
} | {UNTOLD: MARKS[UNTOLD].word}
WHY_NOT = {SUPERSEDED: _("A more urgent letter went out in its place.")}


def _rows() -> QuerySet[Notice]:
    message = Message.objects.filter(dedupe_key=OuterRef("message"))
    return Notice.objects.select_related("account__client", "account__provider").annotate(
        own_subject=Subquery(message.annotate(own=OWN_SUBJECT).values("own")[:1]),
        **{
            f"message_{name}": Subquery(message.values(name)[:1])
            for name in ("state", "recipients", "sent_at", "last_error")
        },
    )


def _found_by(word: str) -> Q:
    """Give the condition of a searched word: an account's number, a client, who reads it."""
    return Q(account__in=searched.accounts(word, known=equals("contacts__email", word)))


def _kept(rows: QuerySet[Any], value: str) -> QuerySet[Any]:
    """Keep the letters in a state; of one that few are in, by those few."""
    if value == UNTOLD:
        return rows.filter(message="")
    theirs = Message.objects.filter(channel=CHANNEL, state=value)
    if value in (Where.SENT, Where.DROPPED, Where.UNWANTED):
        return rows.filter(message__in=theirs.values("dedupe_key"))
    few = theirs.annotate(of=Cast(KT("payload__account"), BigIntegerField())).order_by("-id")
    # an account's notices are found by its key; its messages name it
    whose, which = (few.values(name)[:MOST_FOUND] for name in ("of", "dedupe_key"))
    return rows.filter(account__in=whose, message__in=which)


def _kind(row: Any) -> str:
    return letter_said(row.kind, row.own_subject)


def _state(row: Any) -> str:
    if not row.message:
        return UNTOLD
    return row.message_state or GONE


def _whom(row: Any) -> str:
    return ", ".join(row.message_recipients or ())


def _why(row: Any) -> str:
    return row.message_last_error or ""


def _titled(row: Any) -> str:
    return f"{_kind(row)} · {row.account.number}"


def _again(row: Any, _given: Given) -> str | None:
    if outbox.again(Message.objects.filter(dedupe_key=row.message)):
        return None
    return _now("%s waits for nothing.") % visible(_titled(row))


def _may_again(row: Any) -> Promise | str:
    if row.message_state == Where.FAILED:
        return ""
    return _("Only a letter that was given up is sent again.")


def _shown(row: Any, _request: HttpRequest) -> Mapping[str, Any]:
    """Give a notice's letters as they would leave now."""
    found = previewing.of_notice(row)
    return {
        "why_not": visible(found.why_not),
        "sent": row.message_state == Where.SENT,
        "letters": [
            {
                "to": visible(letter.recipients[0]),
                "sender": visible(letter.sender),
                "subject": visible(letter.subject),
                "text": "\n".join(map(visible, letter.body.splitlines())),
                "page": reverse("letters_page", args=[row.pk, place]),
            }
            for place, letter in enumerate(found.letters[:MOST_READERS])
        ],
    }


MOST_READERS = 5


def _log(row: Any, _request: HttpRequest) -> Mapping[str, Any]:
    """Give what the outbox knows of a notice's message."""
    message = Message.objects.filter(dedupe_key=row.message).first() if row.message else None
    refused = message.refused if message else {}
    return {
        "message": message,
        "subject": visible(message.subject) if message else "",
        "mark": MARKS[_state(row)],
        "why_not": WHY_NOT.get(row.why_not, visible(row.why_not)),
        "error": visible(message.last_error) if message else "",
        "people": [
            (visible(one), visible(refused.get(one, "")), one in message.outstanding)
            for one in message.recipients
        ] if message else [],
    }  # fmt: skip


@require_safe
@xframe_options_sameorigin
def page(request: HttpRequest, key: str, place: int) -> HttpResponse:
    """Give a letter's page alone, in a sandbox: no script, no form, nothing from outside."""
    rights.reader(request, LETTERS)
    found = previewing.of_notice(detail.one(LETTERS, key))
    if place >= len(found.letters):
        raise Http404
    return framed(str(found.letters[place].payload["html"]))


def framed(html: str) -> HttpResponse:
    """Answer with a page that others wrote, which may do nothing but look as it looks."""
    headers = {"Content-Security-Policy": LETTER, "Cache-Control": "private, no-store"}
    return HttpResponse(html, headers=headers)


ACCOUNT = Link(
    "account", _("Account"), to="client-accounts", named="number", below="account.client.name"
)
STATE = State("state", _("State"), of=_state, marks=MARKS, below=_why)

LETTERS = Section(
    name="letters",
    title=_("Letters"),
    one=_("letter"),
    rows=_rows,
    named=_titled,
    columns=(
        Text("kind", _("Kind"), of=_kind),
        ACCOUNT, STATE,
        Day("on", _("Date")),
        Moment("sent", _("Sent"), of="message_sent_at"),
        Text("whom", _("To whom"), of=_whom, less=True),
    ),
    search=_found_by,
    filters=(
        Choice("kind", _("Kind"), choices=lambda: {one.name: _now(one.title) for one in
                                                   KINDS.values()}),
        Choice("state", _("State"), choices=FILTER, kept=_kept),
        Days("on", _("Date")),
    ),
    acts=(
        Act("again", _("Send again"), _again, icon="send", allowed=_may_again,
            confirm=_("It is written anew from what is true now, and tried at once.")),
    ),
    facts=(
        Text("kind", _("Kind"), of=_kind), ACCOUNT, STATE, Day("on", _("Date")),
        Day("period", _("About")), Text("whom", _("To whom"), of=_whom),
        Moment("sent", _("Sent"), of="message_sent_at"),
    ),
    panels=(
        Panel("delivery", _("Delivery"), template="letters/delivery.html", context=_log),
        Panel("words", _("The letter"), template="letters/words.html", context=_shown),
    ),
    css="css/invoices.css",
    empty=_("Nobody had to be told anything yet."),
)  # fmt: skip

URLS = [path("letters/<str:key>/page/<int:place>", page, name="letters_page")]
