"""What the column of an account's time is made of: kinds of records, each with its lines.

A record's place is its business date, the rank of its kind within the date (the later a kind
comes in a day, the higher), and its key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import F, Q, QuerySet
from django.db.models.functions import TruncDate
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from billclock.billing import ledger
from billclock.billing.charges import Charge, ChargeKind, Reversal
from billclock.billing.clients import Account
from billclock.billing.invoices import Invoice
from billclock.billing.ledger import Cause, Transfer
from billclock.billing.notifications import SUPERSEDED, Notice
from billclock.billing.payments import Attempt
from billclock.billing.services import Outcome, Reason, RenewalSwitch, Service, Suspension, Verdict
from billclock.outbox.models import Message, State
from billclock.web import client_words as words
from billclock.web import kept, payment_words, service_words
from billclock.web.kit.leading import way_to

Rows = QuerySet[Any]


@dataclass(frozen=True)
class Line:
    """One line: its place, how it looks, what and why, what it did to the balance, its record.

    Lines of one `fold` and month are shown as one: the charges of a service by the day.
    """

    on: date
    rank: int
    key: int
    icon: str
    title: str
    why: str = ""
    tone: str = ""
    change: int | None = None
    url: str = ""
    fold: tuple[str, str] | None = None

    @property
    def place(self) -> tuple[date, int, int]:
        """Give what lines are ordered by."""
        return self.on, self.rank, self.key


@dataclass(frozen=True)
class Whose:
    """Whose time it is: an account, and the keys of all services it ever had."""

    account: Account
    services: Sequence[int]

    @classmethod
    def of(cls, account: Account) -> Whose:
        """Read the services; one query."""
        return cls(account, list(Service.objects.of(account.pk).values_list("pk", flat=True)))


@dataclass(frozen=True)
class Source:
    """A kind of record: `rows` gives an account's, with their date as `day`; `lines` says them."""

    kind: str
    rows: Callable[[Whose], Rows]
    lines: Callable[[Sequence[Any], Account, int], Iterable[Line]]


def _verdicts(of: Whose) -> Rows:
    rows = Verdict.objects.filter(service__in=of.services).exclude(outcome=Outcome.RENEWED)
    return rows.select_related("service__product").annotate(day=F("on"))


def _verdict_lines(rows: Sequence[Verdict], account: Account, rank: int) -> Iterator[Line]:
    for row in rows:
        mark = service_words.OUTCOMES[Outcome(row.outcome)]
        what = words.service_said(row.service)
        yield Line(
            row.on, rank, row.pk, mark.icon, f"{what}: {mark.word}", _seen(row, account),
            "bad" if mark.kind == "bad" else "", url=way_to("services", row.service_id),
        )  # fmt: skip


def _seen(row: Verdict, account: Account) -> str:
    """Say the numbers that a decision saw."""
    if not row.need_minor:
        return ""
    if row.outcome == Outcome.OVER_MOST:
        facts = {"used": row.need_minor, "most": row.available_minor}
        return _("in use %(used)s, allowed %(most)s") % facts
    missing = row.need_minor - row.available_minor
    code = account.currency_id
    said = _("it needed %(need)s, there were %(have)s") % {
        "need": words.amount(row.need_minor, code),
        "have": words.amount(row.available_minor, code),
    }
    if row.outcome == Outcome.UNFUNDED and missing > 0:
        said += "; " + _("short by %s") % words.amount(missing, code)
    return said


def _charges(of: Whose) -> Rows:
    rows = Charge.objects.filter(account=of.account).select_related("service__product", "reversal")
    return rows.annotate(day=F("on"))


def _charge_lines(rows: Sequence[Charge], account: Account, rank: int) -> Iterator[Line]:
    for row in rows:
        paused = row.kind == ChargeKind.PAUSE
        yield Line(
            row.on, rank, row.pk, "pause" if paused else "receipt-text", words.charge_said(row),
            words.charge_why(row, account.currency_id), change=-row.total_minor,
            url=way_to("charges", row.pk) or way_to("services", row.service_id), fold=_fold(row),
        )  # fmt: skip


BY_DAY = (ChargeKind.DAILY, ChargeKind.HOURLY, ChargeKind.OVERAGE)


def _fold(row: Charge) -> tuple[str, str] | None:
    """Give service and kind of what is charged by the day."""
    if row.kind not in BY_DAY or hasattr(row, "reversal"):
        return None
    return words.service_said(row.service), str(service_words.CHARGES[ChargeKind(row.kind)])


def _reversals(of: Whose) -> Rows:
    rows = Reversal.objects.filter(charge__account=of.account)
    return rows.select_related("charge__service__product").annotate(day=F("on"))


def _reversal_lines(rows: Sequence[Reversal], _account: Account, rank: int) -> Iterator[Line]:
    for row in rows:
        why = _why(kept.read(row.why), row.by)
        title = _("Taken back: %s") % words.charge_said(row.charge)
        url = way_to("charges", row.charge_id) or way_to("services", row.charge.service_id)
        yield Line(
            row.on, rank, row.pk, "undo-2", title, why, change=row.charge.total_minor, url=url
        )


def _came(of: Whose) -> Rows:
    return _no_charges(ledger.received(of.account.funds))


def _went(of: Whose) -> Rows:
    return _no_charges(Transfer.objects.filter(debit=of.account.pk))


def _no_charges(rows: Rows) -> Rows:
    """Leave out charges and what took them back: those have lines of their own."""
    rows = rows.exclude(cause__in=words.CHARGED)
    taken = Q(cause=Cause.REVERSAL, reverses__cause__in=words.CHARGED)
    kept: Rows = rows.exclude(taken).select_related("reverses").annotate(day=F("on"))
    return kept


def _money_lines(rows: Sequence[Transfer], account: Account, rank: int) -> Iterator[Line]:
    told = words.Movements(rows, account.currency_id)
    for row in rows:
        came = row.credit_id == account.pk
        said = told.told(row)
        yield Line(
            row.on, rank, row.pk, "plus" if came else "undo-2", said.title, said.why,
            "good" if came else "", row.amount_minor if came else -row.amount_minor, said.url,
        )  # fmt: skip


def _invoices(of: Whose) -> Rows:
    return Invoice.objects.filter(account=of.account, issued_on__isnull=False).annotate(
        day=F("issued_on")
    )


def _invoice_lines(rows: Sequence[Any], _account: Account, rank: int) -> Iterator[Line]:
    titles = {
        Invoice.Kind.INVOICE: _("Invoice %s"),
        Invoice.Kind.REQUEST: _("Request for payment %s"),
        Invoice.Kind.CREDIT_NOTE: _("Credit note %s"),
    }
    for row in rows:
        parts = [words.amount(row.total_minor, row.currency)]
        if row.paid_on:
            parts.append(_("paid on %s") % _day(row.paid_on))
        elif row.due_on and row.kind != Invoice.Kind.CREDIT_NOTE:
            parts.append(_("to be paid by %s") % _day(row.due_on))
        url = way_to("invoices", row.pk) or reverse("document", args=[row.pk])
        yield Line(
            row.day, rank, row.pk, "receipt-text",
            titles[Invoice.Kind(row.kind)] % row.number, ", ".join(parts), url=url,
        )  # fmt: skip


def _letters(of: Whose) -> Rows:
    told = Notice.objects.filter(account=of.account).exclude(why_not=SUPERSEDED)
    return told.annotate(day=F("on"))


def _letter_lines(rows: Sequence[Notice], _account: Account, rank: int) -> Iterator[Line]:
    keys = [row.message for row in rows if row.message]
    sent = {row.dedupe_key: row for row in Message.objects.filter(dedupe_key__in=keys)}
    for row in rows:
        message = sent.get(row.message)
        subject = message.payload["facts"].get("title") if message else None
        failed = message is not None and message.state == State.FAILED
        yield Line(
            row.on, rank, row.pk, "mail-x" if failed else "mail",
            _("Letter: %s") % words.letter_said(row.kind, subject), _became(row, message),
            "bad" if failed else "", url=way_to("letters", row.pk),
        )  # fmt: skip


def _became(row: Notice, message: Message | None) -> str:
    """Say what became of a letter."""
    if message is None:
        return row.why_not
    if message.state == State.SENT and message.sent_at:
        return _("went out on %s") % date_format(message.sent_at, "j M Y, H:i")
    said = {
        State.QUEUED: _("waits to go out"),
        State.SENDING: _("goes out now"),
        State.FAILED: _("could not be delivered"),
        State.HELD: _("held back"),
        State.DROPPED: _("nobody to send it to"),
        State.UNWANTED: _("nobody wants it"),
    }
    words_ = said.get(State(message.state), "")
    return f"{words_}: {kept.read(message.last_error)}" if message.last_error else words_


def _stops(of: Whose) -> Rows:
    rows = Suspension.objects.filter(service__in=of.services)
    return rows.select_related("service__product").annotate(day=F("on"))


def _stop_lines(rows: Sequence[Suspension], _account: Account, rank: int) -> Iterator[Line]:
    for row in rows:
        reason = str(service_words.REASONS[Reason(row.reason)])
        why = _why(reason, row.by)
        title = _("%s stopped") % words.service_said(row.service)
        url = way_to("services", row.service_id)
        yield Line(row.on, rank, row.pk, "pause", title, why, "bad", url=url)


def _lifts(of: Whose) -> Rows:
    rows = Suspension.objects.filter(service__in=of.services, lifted_on__isnull=False)
    return rows.select_related("service__product").annotate(day=F("lifted_on"))


def _lift_lines(rows: Sequence[Any], _account: Account, rank: int) -> Iterator[Line]:
    for row in rows:
        reason = service_words.REASONS[Reason(row.reason)]
        title = _("%(service)s no longer stopped: %(reason)s") % {
            "service": words.service_said(row.service),
            "reason": reason,
        }
        url = way_to("services", row.service_id)
        yield Line(row.day, rank, row.pk, "play", title, kept.read(row.lifted_why), "good", url=url)


def _switches(of: Whose) -> Rows:
    rows = RenewalSwitch.objects.filter(service__in=of.services)
    return rows.select_related("service__product").annotate(day=_date_of("at", of.account))


def _switch_lines(rows: Sequence[Any], _account: Account, rank: int) -> Iterator[Line]:
    for row in rows:
        said = _("%s: automatic renewal on") if row.on else _("%s: automatic renewal off")
        why = _why(kept.read(row.why), row.by)
        url = way_to("services", row.service_id)
        title = said % words.service_said(row.service)
        yield Line(row.day, rank, row.pk, "repeat", title, why, url=url)


def _declines(of: Whose) -> Rows:
    rows = Attempt.objects.filter(
        payment__account=of.account, state=Attempt.State.DECLINED, settled_at__isnull=False
    )
    return rows.select_related("payment__method").annotate(day=_date_of("settled_at", of.account))


def _decline_lines(rows: Sequence[Any], account: Account, rank: int) -> Iterator[Line]:
    for row in rows:
        said = " · ".join(filter(None, (payment_words.declined(row), kept.read(row.told))))
        parts = [words.amount(row.amount_minor, account.currency_id), said]
        title = _("Payment declined: %s") % row.payment.method.name
        yield Line(
            row.day, rank, row.pk, "circle-x", title, ", ".join(part for part in parts if part),
            "bad", url=way_to("payments", row.payment_id),
        )  # fmt: skip


def _why(why: str, by: str) -> str:
    """Say why something was done, and by whom."""
    return " · ".join(filter(None, (why, service_words.actor(by))))


def _date_of(field: str, account: Account) -> TruncDate:
    return TruncDate(field, tzinfo=ZoneInfo(account.provider.zone))


def _day(on: date) -> str:
    return date_format(on, "j M Y")


SOURCES = (
    Source("services", _verdicts, _verdict_lines),
    Source("money", _charges, _charge_lines),
    Source("letters", _letters, _letter_lines),
    Source("services", _stops, _stop_lines),
    Source("services", _switches, _switch_lines),
    Source("money", _declines, _decline_lines),
    Source("money", _went, _money_lines),
    Source("money", _came, _money_lines),
    Source("services", _lifts, _lift_lines),
    Source("money", _reversals, _reversal_lines),
    Source("money", _invoices, _invoice_lines),
)
