"""Why a service was billed, told, stopped or left alone on a date: from stored facts alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet

from billclock.billing.by_hand import HandEntry
from billclock.billing.charges import TILES, Charge, ChargeKind
from billclock.billing.errors import BillingError
from billclock.billing.money import Money
from billclock.billing.notifications import Notice
from billclock.billing.progress import Parked, Watermark
from billclock.billing.services import Outcome, Reading, Reason, Service, Suspension, Verdict
from billclock.billing.usage import UsageRound
from billclock.billing.verdicts import FOR_USE
from billclock.outbox.models import Message

WORDS = {
    Outcome.RENEWED: "renewed",
    Outcome.UNFUNDED: "not renewed: no money",
    Outcome.NO_AUTO_RENEWAL: "not renewed: it ended and is not renewed by itself",
    Outcome.HELD: "left alone: held",
    Outcome.PARKED: "left alone: its account is parked",
    Outcome.NOT_PRICED: "not renewed: there is no price",
    Outcome.PAYMENT_IN_FLIGHT: "waits for a payment on its way",
    Outcome.OVER_MOST: "more in use than its plan allows",
}


@dataclass(frozen=True, slots=True)
class Fact:
    """Something stored: its kind (the table's noun), key, date, and what it says."""

    kind: str
    key: int
    on: date
    text: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """A service on a date: what came of it in a sentence, and the facts that show it."""

    service: str
    on: date
    conclusion: str
    facts: tuple[Fact, ...]

    @property
    def text(self) -> str:
        """Give it as lines for people."""
        told = [f"{fact.on} {fact.kind} {fact.key}: {fact.text}" for fact in self.facts]
        return "\n".join([f"{self.service} on {self.on}: {self.conclusion}", *told])


@dataclass(frozen=True, slots=True)
class Day:
    """A service's date as moments, in its provider's zone."""

    service: Service
    on: date

    @property
    def zone(self) -> ZoneInfo:
        """Give the zone in which the date is."""
        return ZoneInfo(self.service.account.provider.zone)

    @property
    def bounds(self) -> tuple[datetime, datetime]:
        """Give the date's first moment and the next one's."""
        days = (self.on, self.on + timedelta(days=1))
        first, after = (datetime.combine(day, time.min, self.zone) for day in days)
        return first, after

    def money(self, minor: int) -> Money:
        """Give an amount in the account's currency."""
        return Money(minor, self.service.account.currency_id)

    def date_of(self, moment: datetime) -> date:
        """Give the date of a moment."""
        return moment.astimezone(self.zone).date()


def explain_service(number: str, on: date) -> Explanation:
    """Explain a service's date; raise BillingError where there is no such service."""
    related = ("account__provider", "account__client", "product")
    service = Service.objects.select_related(*related).filter(number=number).first()
    if service is None:
        raise BillingError(f"there is no service {number}", "give its number as lists show it")
    day = Day(service, on)
    covering = _covering(service, on)
    facts = [
        *_charges(day, covering), *_verdicts(day), *_letters(day), *_suspensions(day),
        *_operations(day), *_switches(day), *_by_hand(day), *_use(day),
    ]  # fmt: skip
    return Explanation(number, on, _conclusion(day, covering), tuple(facts))


def _covering(service: Service, on: date) -> Charge | None:
    """Give the live charge that a date belongs to."""
    live = service.charges.filter(reversal=None, addon=0, kind__in=TILES)
    return live.filter(period_start__lte=on, period_end__gt=on).order_by("-id").first()


def _conclusion(day: Day, covering: Charge | None) -> str:
    service, on = day.service, day.on
    if on < service.opened_on:
        return f"it was opened on {service.opened_on} only"
    if service.closed_on is not None and on >= service.closed_on:
        return f"it has been closed since {service.closed_on}"
    given = service.verdicts.filter(on=on, sequence__lt=FOR_USE).order_by("-sequence").first()
    if given is not None:
        return WORDS[Outcome(given.outcome)]
    if covering is not None and covering.kind == ChargeKind.PAUSE:
        return f"not billed: it stood; charge {covering.pk} moved its time on"
    if covering is not None and covering.on <= on:
        return f"not due: paid until {covering.period_end} by charge {covering.pk}"
    return _standing(day) or _left_alone(day, covering)


def _standing(day: Day) -> str:
    """Say that it was stopped already, so that nothing was decided."""
    stop = _overlapping(day).order_by("on", "id").first()
    if stop is None:
        return ""
    return f"not billed: it stood since {stop.on} for {Reason(stop.reason).name.lower()}"


def _left_alone(day: Day, covering: Charge | None) -> str:
    """Say why billing did not decide, or that it had decided before."""
    service, on = day.service, day.on
    if service.held_until is not None and service.held_until > on:
        return f"left alone: held until {service.held_until}"
    parked = Parked.objects.filter(account_id=service.account_id).first()
    if parked is not None and day.date_of(parked.since) <= on:
        return f"left alone: its account is parked: {parked.reason}"
    mark = Watermark.objects.filter(job="billdaily", provider=service.account.provider).first()
    if mark is None or mark.on < on:
        done = f"was done up to {mark.on}" if mark else "never ran"
        return f"not billed yet: billdaily {done}"
    if covering is not None:
        return f"charged later, on {covering.on}, by charge {covering.pk}"
    if service.paid_until > on:
        return f"not due: paid until {service.paid_until}, from before the books"
    return "nothing is recorded: look at the account and its provider's runs of billdaily"


def _charges(day: Day, covering: Charge | None) -> Iterator[Fact]:
    """Tell of the charge that covers the date, and of all that was charged or taken back on it."""
    made = Q(on=day.on) | Q(reversal__on=day.on)
    if covering is not None:
        made |= Q(pk=covering.pk)
    for charge in day.service.charges.filter(made).select_related("reversal").order_by("id"):
        kind = ChargeKind(charge.kind).name.lower()
        price = f", price {charge.price_id}" if charge.price_id else ""
        span = f"{charge.period_start} to before {charge.period_end}"
        yield Fact(
            "charge", charge.pk, charge.on,
            f"{kind} {span}: {day.money(charge.total_minor)}{price}",
        )  # fmt: skip
        if hasattr(charge, "reversal"):
            back = charge.reversal
            yield Fact("reversal", back.pk, back.on, f"of charge {charge.pk}: {back.why}")


def _verdicts(day: Day) -> Iterator[Fact]:
    """Tell of the date's verdicts, or of the last one before."""
    found = list(day.service.verdicts.filter(on=day.on).order_by("sequence"))
    if not found:
        before = day.service.verdicts.filter(on__lt=day.on).order_by("-on", "-sequence")
        found = list(before[:1])
    for verdict in found:
        yield Fact("verdict", verdict.pk, verdict.on, verdict_text(day, verdict))


def verdict_text(day: Day, verdict: Verdict) -> str:
    """Give a verdict in words, with the numbers it saw."""
    words = WORDS[Outcome(verdict.outcome)]
    if verdict.sequence == FOR_USE:
        words = (
            "use beyond its plan was charged"
            if verdict.outcome == Outcome.RENEWED
            else ("use beyond its plan was not paid: no money")
        )
    if verdict.outcome == Outcome.OVER_MOST:
        return f"{words}: {verdict.need_minor}, allowed {verdict.available_minor}"
    if not verdict.need_minor:
        return words
    need, have = day.money(verdict.need_minor), day.money(verdict.available_minor)
    return f"{words}; it needed {need}, the account had {have} to spend"


def _letters(day: Day) -> Iterator[Fact]:
    """Tell of what the account was told of on the date, about the service or about all of them."""
    found = Notice.objects.filter(
        account=day.service.account_id, subject__in=(0, day.service.pk), on=day.on
    )
    for notice, said in letters_told(found.order_by("id")):
        yield Fact("notice", notice.pk, notice.on, f"{notice.kind}, {said}")


def letters_told(found: Iterable[Notice]) -> Iterator[tuple[Notice, str]]:
    """Give notices with what became of the letter of each, all by one query."""
    notices = list(found)
    keys = [notice.message for notice in notices if notice.message]
    messages = {one.dedupe_key: one for one in Message.objects.filter(dedupe_key__in=keys)}
    for notice in notices:
        yield notice, _fate(notice, messages.get(notice.message))


def letter_text(notice: Notice) -> str:
    """Say what became of a notice's letter."""
    return next(said for _notice, said in letters_told([notice]))


def _fate(notice: Notice, message: Message | None) -> str:
    if message is None:
        return notice.why_not or "without a letter"
    if message.sent_at is not None:
        return f"its letter went out on {message.sent_at:%Y-%m-%d %H:%M} UTC"
    why = f": {message.last_error}" if message.last_error else ""
    return f"its letter is {message.state}{why}"


def _suspensions(day: Day) -> Iterator[Fact]:
    for stop in _overlapping(day).order_by("id"):
        reason = Reason(stop.reason).name.lower()
        cause = f" after verdict {stop.verdict_id}" if stop.verdict_id else ""
        by = f" by {stop.by}" if stop.by else ""
        end = f", until {stop.lifted_on}: {stop.lifted_why}" if stop.lifted_on else ""
        yield Fact("suspension", stop.pk, stop.on, f"stopped for {reason}{cause}{by}{end}")


def _overlapping(day: Day) -> QuerySet[Suspension]:
    until = Q(lifted_on=None) | Q(lifted_on__gte=day.on)
    return day.service.suspensions.filter(until, on__lte=day.on)


def _operations(day: Day) -> Iterator[Fact]:
    first, after = day.bounds
    there = Q(finished_at=None) | Q(finished_at__gte=first) | Q(state="given up")
    found = day.service.operations.filter(there, created_at__lt=after)
    for operation in found.order_by("id"):
        tries = f" after {operation.attempts} tries" if operation.attempts else ""
        why = f": {operation.last_error}" if operation.last_error else ""
        yield Fact(
            "operation", operation.pk, day.date_of(operation.created_at),
            f"{operation.action} is {operation.state}{tries}{why}",
        )  # fmt: skip


def _switches(day: Day) -> Iterator[Fact]:
    for switch in day.service.renewal_switches.filter(at__range=day.bounds).order_by("id"):
        way = "on" if switch.on else "off"
        why = f": {switch.why}" if switch.why else ""
        yield Fact(
            "switch", switch.pk, day.on, f"automatic renewal switched {way} by {switch.by}{why}"
        )


def _by_hand(day: Day) -> Iterator[Fact]:
    """Tell of the money that people gave the account or took from it on the date."""
    found = HandEntry.objects.filter(account=day.service.account_id, on=day.on)
    for entry in found.order_by("id"):
        back = f", takes back entry {entry.takes_back_id}" if entry.takes_back_id else ""
        yield Fact(
            "hand entry", entry.pk, entry.on,
            f"{entry.sort} {day.money(entry.amount_minor)} by {entry.by}{back}: {entry.reason}",
        )  # fmt: skip


def _use(day: Day) -> Iterator[Fact]:
    """Tell of what was in use, as it was read last, and of how its module was asked."""
    for addon in (
        day.service.addons.exclude(read_at=None).order_by("id").values_list("addon_id", flat=True)
    ):
        found = Reading.objects.filter(service=day.service, addon=addon, on__lte=day.on)
        last = found.select_related("addon").order_by("-at").first()
        if last is not None:
            text = f"{last.addon.code}: {last.amount} in use at {last.at:%Y-%m-%d %H:%M} UTC"
            yield Fact("reading", last.pk, last.on, text)
    module, provider = day.service.product.module_id, day.service.account.provider_id
    for asked in UsageRound.objects.filter(module=module, provider=provider, on=day.on):
        text = f"{asked.asked} services asked about, {asked.changed} levels new"
        yield Fact("usage round", asked.pk, asked.on, asked.error or text)
