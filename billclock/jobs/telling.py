"""What the jobs that tell clients share: by provider, each date once, no flood without leave."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from billclock import clock
from billclock.billing import notifications, progress
from billclock.billing.errors import LimitError
from billclock.billing.notice_kinds import Kind
from billclock.billing.notifications import Notice, Telling
from billclock.billing.progress import JobRun
from billclock.billing.provider import Provider
from billclock.jobs.report import Tally
from billclock.outbox.models import Message

MOST_TIMES = 2
FEW = 50
"""More letters than so many times the usual number stop a run; fewer than the second never do."""

USUAL_DAYS = 40
"""The usual number is the largest of as many days before: it holds a month's beginning."""

AHEAD = "days up to it would count as done"
"""What comes of a run for a date that has not begun."""

Find = Callable[[Provider, date, Sequence[date]], Iterable[Telling]]
First = Callable[[Provider, date], None]


@dataclass(frozen=True, slots=True)
class Order:
    """One run of such a job: for which date, and what it may do.

    `again`: a date that was done may be done once more, as its letters are known by themselves.
    """

    job: str
    on: date
    dry_run: bool
    confirm: bool
    again: bool = False


def business_date(provider: Provider, on: date) -> date:
    """Take the date that was asked for; where that is the server's today, the provider's."""
    return provider.today() if on == clock.today(clock.server_zone()) else on


def tell(order: Order, tally: Tally, find: Find, *, first: First = lambda *_: None) -> None:
    """Tell whom `find` names for a provider, a date and the dates since the last run.

    Missed dates are not gone through one by one: `find` looks at what is so on the last one.
    `first` is done before; where it stops for a limit nobody is told, and the date is not done.
    """
    for provider in Provider.objects.filter(active=True).order_by("code"):
        with tally.isolated(provider.code):
            on = business_date(provider, order.on)
            due = progress.dates(order.job, provider, on)
            if not due and order.again and on == provider.today():
                due = [on]
            if due:
                require_begun(order, provider, on, tally)
                first(provider, on)
                _tell(order, provider, on, due, tally, find)
            else:
                tally.unchanged += 1
                tally.say(f"{provider.code}: {on} is done already, nothing was changed")


def _tell(
    order: Order, provider: Provider, on: date, due: Sequence[date], tally: Tally, find: Find
) -> None:
    counts = notifications.lay_out(find(provider, on, due))
    usual = usual_number(order.job, provider, on, "letters")
    question = _question(provider, due, counts.total(), usual)
    if question:
        may_pass(order, provider, on, question, tally)
    if not order.dry_run:
        _put(order, provider, on, counts)
    tally.done += counts.total()
    tally.figures[provider.code] = {"letters": counts.total(), "kinds": dict(counts)}
    would = "would be written" if order.dry_run else "written"
    kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(counts.items()))
    tally.say(
        f"{provider.code} {on}: {counts.total()} letters {would}"
        f"{f' ({kinds})' if kinds else ''}; the most of {USUAL_DAYS} days before: {usual}"
    )


def _question(provider: Provider, due: Sequence[date], letters: int, usual: int) -> str:
    if letters and len(due) > provider.most_days_forward:
        return f"{len(due)} dates since the last run; {letters} letters would be written"
    if letters > max(FEW, MOST_TIMES * usual):
        return f"{letters} letters would be written, usual are {usual} at most"
    return ""


def hold(
    order: Order, tally: Tally, provider: Provider, on: date, figure: str, what: str, count: int
) -> None:
    """Stop where acts that go with the letters are far more than usual; else note their number."""
    usual = usual_number(order.job, provider, on, figure)
    if count > max(FEW, MOST_TIMES * usual):
        question = f"{count} {what}, usual are {usual} at most"
        may_pass(order, provider, on, question, tally)
    if count and not order.dry_run:
        run = progress.begin(order.job, provider, on)
        run.figures[figure] = run.figures.get(figure, 0) + count
        run.save(update_fields=["figures"])


def usual_number(job: str, provider: Provider, on: date, figure: str) -> int:
    """Give the largest of a figure in the runs of some time before a date; 0 without runs."""
    runs = JobRun.objects.filter(
        job=job,
        provider=provider,
        state=JobRun.State.DONE,
        on__range=(on - timedelta(days=USUAL_DAYS), on - timedelta(days=1)),
    )
    return max((run.figures.get(figure, 0) for run in runs), default=0)


def may_pass(order: Order, provider: Provider, on: date, question: str, tally: Tally) -> None:
    """Let a limit pass if it was allowed; else stop the run with LimitError. A dry run says so."""
    if order.confirm or progress.allowed(order.job, provider, on):
        return
    if order.dry_run:
        tally.say(f"{provider.code}: it would stop and ask first: {question}")
        return
    progress.stop(order.job, provider, on, question)
    raise LimitError(question)


def require_begun(
    order: Order, provider: Provider, on: date, tally: Tally, what: str = AHEAD
) -> None:
    """Stop with LimitError where a date has not begun yet, unless it was confirmed.

    No run is left to be allowed: a date like this is one that somebody typed.
    """
    today = provider.today()
    if on <= today or order.confirm:
        return
    question = f"{on} has not begun: {provider.code} has {today}; {what}"
    if not order.dry_run:
        raise LimitError(question)
    tally.say(f"{provider.code}: it would stop and ask first: {question}")


def _put(order: Order, provider: Provider, on: date, counts: Counter[str]) -> None:
    run = progress.begin(order.job, provider, on)
    while notifications.put_next(on) is not None:
        pass
    letters = counts.total() + run.figures.get("letters", 0)
    progress.finish(run, {**run.figures, "letters": letters})


def explain(
    tally: Tally, account: int, kinds: Iterable[Kind], *, subjects: Iterable[int] = (0,)
) -> None:
    """Say which letters of some kinds were written about subjects, and what became of each."""
    found = Notice.objects.filter(
        account=account, kind__in=[kind.name for kind in kinds], subject__in=list(subjects)
    )
    notices = list(found.order_by("on", "id"))
    sent = Message.objects.filter(dedupe_key__in=[n.message for n in notices if n.message])
    by_key = {message.dedupe_key: message for message in sent}
    for notice in notices:
        tally.say(
            f"{notice.on} {notice.kind}, threshold {notice.threshold}, about {notice.period}: "
            f"{_fate(notice, by_key.get(notice.message))}"
        )
    if not notices:
        tally.say("no letter was written about it")
    tally.unchanged += 1


def _fate(notice: Notice, message: Message | None) -> str:
    if not notice.message:
        return f"not sent: {notice.why_not}"
    if message is None:
        return "its message is not kept any more"
    to = f" to {', '.join(message.recipients)}" if message.recipients else ""
    at = f" at {message.sent_at:%Y-%m-%d %H:%M} UTC" if message.sent_at else ""
    why = f": {message.last_error}" if message.last_error else ""
    return f"{message.state}{to}{at}{why}"
