"""autosuspend: services past their grace are stopped, paid ones run again, left ones are closed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date

from billclock import clock
from billclock.billing import (
    enforcing,
    following,
    operations,
    overdue,
    pricing,
    progress,
    standing,
)
from billclock.billing.concluding import stops
from billclock.billing.enforcing import Done
from billclock.billing.errors import BillingError, LimitError
from billclock.billing.letters import told
from billclock.billing.overdue import Candidate
from billclock.billing.progress import JobRun
from billclock.billing.provider import Provider
from billclock.billing.services import Operation, Service
from billclock.jobs import sections
from billclock.jobs.job import Program
from billclock.jobs.registry import job
from billclock.jobs.report import Report, Tally
from billclock.jobs.telling import business_date

NAME = "autosuspend"
MOST_NAMED = 5

WORDS = {
    "resumed": "paid and running",
    "stopped": "stopped",
    "closed": "closed",
    "told": "told first",
}


@job(
    NAME,
    rows=(10,),
    section=sections.SERVICES,
    title="BILLmanager autosuspend unpaid items",
    meaning="Automatic stop of services",
    program=Program.BILLMAINTAIN,
    arguments="--command autosuspend",
    schedule="2 * * * *",
)
def autosuspend(*, on: date, dry_run: bool, confirm: bool, explain: str) -> Report:
    """Stop, resume and close what is to be by now, and let the modules do what waits for them.

    `explain` is a service's number: it says why that is, or is not, stopped.
    """
    tally = Tally(NAME)
    if explain:
        with tally.isolated(explain):
            _explain(tally, _found(explain), on)
        return tally.report()
    if not dry_run:
        told.hand_over()
    for provider in Provider.objects.filter(active=True).order_by("code"):
        day = business_date(provider, on)
        with tally.isolated(provider.code):
            if dry_run:
                _preview(provider, day, tally)
            else:
                _enforce(provider, day, tally, confirm=confirm)
    if not dry_run:
        _carry_out(tally)
    return tally.report()


def _explain(tally: Tally, service: Service, on: date) -> None:
    """Say what it did to a service on a date or why nothing, then how the service stands by now."""
    day = business_date(service.account.provider, on)
    tally.say(f"{service.number}: {stops.concluded(service.account, day, service)}")
    for line in standing.explain(service, on=on):
        tally.say(line)
    tally.unchanged += 1


def _found(number: str) -> Service:
    related = ("account__provider", "account__client", "account__group")
    service = Service.objects.select_related(*related).filter(number=number).first()
    if service is None:
        raise BillingError(f"there is no service {number}", "give its number as lists show it")
    return service


def _enforce(provider: Provider, on: date, tally: Tally, *, confirm: bool) -> None:
    if on > provider.today():
        raise BillingError(f"{on} is not yet there", "nothing is stopped ahead of its day")
    counts: Counter[str] = Counter()
    _follow(provider, tally)
    _resume(provider, on, tally, counts)
    hindered = overdue.quiet(provider) or overdue.behind(provider, on)
    if hindered:
        tally.say(f"{provider.code}: nothing is stopped now: {hindered}")
    else:
        noticed = overdue.noticed(provider, on)
        _tell(noticed, on, tally, counts)
        due = overdue.to_stop(noticed, on)
        closing = list(overdue.to_close(provider, on))
        if not confirm:
            _require_few(provider, on, due, len(closing))
        _stop(provider, due, on, tally, counts)
        for suspension in closing:
            with tally.isolated(suspension.service.number):
                counts["closed"] += enforcing.close(suspension, on=on)
    _record(provider, on, tally, counts)


def _follow(provider: Provider, tally: Tally) -> None:
    """Let money do what waited for it, where whoever booked it was killed or could not."""
    for account in following.unfollowed(provider):
        with tally.isolated(f"money of account {account.number}"):
            renewed = following.follow(account)
            tally.done += 1
            tally.say(f"{account.number}: what its money was for is done, {renewed} renewed")


def _resume(provider: Provider, on: date, tally: Tally, counts: Counter[str]) -> None:
    for service in enforcing.payable(provider, on):
        with tally.isolated(service.number):
            counts["resumed"] += enforcing.resume(service, on=on, laid_out=True)
    for service in overdue.no_longer_over(provider):
        with tally.isolated(service.number):
            counts["resumed"] += enforcing.resume_within_most(service, on=on)


def _tell(noticed: Sequence[Candidate], on: date, tally: Tally, counts: Counter[str]) -> None:
    unknown = overdue.untold(noticed)
    services = Service.objects.in_bulk(unknown) if unknown else {}
    for one in unknown.values():
        with tally.isolated(one.number):
            counts["told"] += enforcing.tell(services[one.service], on=on)


def _stop(
    provider: Provider, due: Sequence[Candidate], on: date, tally: Tally, counts: Counter[str]
) -> None:
    if not due:
        return
    pricing.lay_out(provider, on)
    services = Service.objects.in_bulk([one.service for one in due])
    for one in due:
        with tally.isolated(one.number):
            done = enforcing.stop(services[one.service], one.reason, on=on, laid_out=True)
            counts["stopped"] += done is Done.STOPPED
            counts["resumed"] += done is Done.RENEWED


def _require_few(provider: Provider, on: date, due: Sequence[Candidate], closing: int) -> None:
    """Stop the provider's run where nobody allowed so many; the question goes to Problems."""
    try:
        enforcing.require_few(provider, len(due), "stopped", _named(due))
        enforcing.require_few(provider, closing, "closed", "")
    except LimitError as error:
        if progress.allowed(NAME, provider, on):
            return
        progress.stop(NAME, provider, on, error.question)
        raise


def _named(due: Sequence[Candidate]) -> str:
    reasons = Counter(one.reason.name.lower() for one in due)
    shares = ", ".join(f"{count} for {reason}" for reason, count in sorted(reasons.items()))
    names = ", ".join(one.number for one in due[:MOST_NAMED])
    more = f" and {len(due) - MOST_NAMED} more" if len(due) > MOST_NAMED else ""
    return f"{shares}: {names}{more}" if due else ""


def _record(provider: Provider, on: date, tally: Tally, counts: Counter[str]) -> None:
    figures = {name: counts[name] for name in WORDS}
    progress.finish(progress.begin(NAME, provider, on), figures)
    tally.done += sum(figures.values()) - figures["told"]
    tally.figures[f"{provider.code} {on}"] = figures
    said = ", ".join(f"{figures[name]} {word}" for name, word in WORDS.items())
    tally.say(f"{provider.code} {on}: {said}")


def _preview(provider: Provider, on: date, tally: Tally) -> None:
    """Say what would be done, from the same queries, and what was done the last time."""
    waiting = overdue.to_resume(provider).iterator()
    paid = {one.pk for one in waiting if one.spendable >= (one.need or 0)}
    noticed = overdue.noticed(provider, on)
    due = [one for one in overdue.to_stop(noticed, on) if one.service not in paid]
    figures = {
        "resumed": len(paid) + overdue.no_longer_over(provider).count(),
        "stopped": len(due),
        "closed": overdue.to_close(provider, on).count(),
        "told": len(overdue.untold(noticed)),
    }
    tally.figures[f"{provider.code} {on}"] = figures
    said = ", ".join(f"{figures[name]} would be {word}" for name, word in WORDS.items())
    tally.say(f"{provider.code} {on}: {said}; {_last_time(provider)}")
    for line in _obstacles(provider, on, due, figures["closed"]):
        tally.say(f"{provider.code}: {line}")


def _obstacles(
    provider: Provider, on: date, due: Sequence[Candidate], closing: int
) -> Iterator[str]:
    """Name whom it would stop first, and what would keep it from that now."""
    if due:
        yield _named(due)
    hindered = overdue.quiet(provider) or overdue.behind(provider, on)
    if hindered:
        yield f"nothing would be stopped now: {hindered}"
    for what, count in (("stopped", len(due)), ("closed", closing)):
        try:
            enforcing.require_few(provider, count, what, "")
        except LimitError as error:
            yield f"it would stop and ask first: {error.question}"


def _last_time(provider: Provider) -> str:
    runs = JobRun.objects.filter(job=NAME, provider=provider).exclude(figures={})
    last = runs.order_by("-on").first()
    if last is None:
        return "it has not run before"
    return f"last time ({last.on}): " + ", ".join(
        f"{last.figures.get(name, 0)} {word}" for name, word in WORDS.items()
    )


def _carry_out(tally: Tally) -> None:
    """Let processing modules do what is due, a service's operations in their order."""
    while due := list(operations.due(clock.now()).select_related("service")):
        for operation in due:
            name = f"{operation.action} of {operation.service.number}"
            with tally.isolated(name):
                state = operations.carry_out(operation)
                tally.done += state == Operation.State.DONE
                tally.unchanged += state in operations.UNDER_WAY
                if state == Operation.State.GIVEN_UP:
                    _tell_of_task(operation, name, tally)


def _tell_of_task(operation: Operation, name: str, tally: Tally) -> None:
    """Say what people have to do; it is a failure where a machine should have done it."""
    operation.refresh_from_db()
    told = f"{operation.last_error}; it is a task for people now"
    if operation.attempts:
        tally.failed[name] = told
    else:
        tally.done += 1
        tally.say(f"{name}: {told}")
