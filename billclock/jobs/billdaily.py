"""Daily billing: renewals, daily and hourly charges, overage, verdicts, each date in its order."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from django.conf import settings

from billclock.billing import progress, sealing, usage
from billclock.billing.batches import Figures
from billclock.billing.daily import run as daily
from billclock.billing.daily.workers import usual_count
from billclock.billing.errors import LimitError
from billclock.billing.explaining import explain_service
from billclock.billing.provider import Provider
from billclock.jobs import comparing, sections
from billclock.jobs.job import OptionError, Program
from billclock.jobs.registry import job
from billclock.jobs.report import Report, Tally
from billclock.jobs.telling import Order, business_date, may_pass, require_begun

MOST_WORKERS = 64
USAGE = "usage"


@job(
    daily.JOB,
    rows=(11,),
    section=sections.SERVICES,
    title="BILLmanager daily billing",
    meaning="Daily collection of information about open services",
    program=Program.BILLMAINTAIN,
    arguments="--command billdaily",
    schedule="15 0 * * *",
    catch_up=True,
)
def billdaily(
    *, on: date, dry_run: bool, confirm: bool, explain: str, workers: str = "", only: str = ""
) -> Report:
    """Bill every open service of every provider for all dates that are due up to `on`.

    `explain` is a service's number: it says what came of it on that date, from stored facts.
    `workers`: so many processes, on PostgreSQL; the setting BILLING_WORKERS without it. Modules
    are asked first what today's services use; `only=usage` asks them again and bills nothing.
    """
    tally = Tally(daily.JOB)
    if explain:
        with tally.isolated(explain):
            tally.say(explain_service(explain, on).text)
        return tally.report()
    plan = daily.Plan(dry_run, confirm, workers=_workers(workers))
    again, untold = _only_usage(only), dict[str, str]()
    for provider in Provider.objects.filter(active=True).order_by("code"):
        with tally.isolated(provider.code):
            day = business_date(provider, on)
            if not dry_run:
                untold |= _measure(provider, day, tally, again=again)
            if not only:
                _bill(provider, day, tally, plan)
    if not (dry_run or only or tally.failed):
        _seal(tally)
    tally.failed |= untold
    return tally.report()


def _only_usage(only: str) -> bool:
    """Tell whether nothing is to be billed; raise OptionError for any other part of the work."""
    if only not in {"", USAGE}:
        raise OptionError(f"only: {only[:20]!r} is no part that runs alone; there is {USAGE}")
    return bool(only)


def _measure(provider: Provider, on: date, tally: Tally, *, again: bool) -> dict[str, str]:
    """Ask a provider's modules what is in use today, and give what failed: it keeps no bill back.

    Levels that are not told stay as they were. What was in use on a day gone by nobody knows.
    """
    untold: dict[str, str] = {}
    if on != provider.today() or not (again or progress.dates(daily.JOB, provider, on)):
        return untold
    for module in usage.modules(provider):
        asked = usage.ask(module, provider, on, again=again)
        name = f"{provider.code} use of {module.code}"
        tally.say(
            f"{name}: {asked.asked} services asked about, {asked.changed} levels new, "
            f"{asked.silent} not told of"
        )
        if asked.error:
            untold[name] = asked.error
        elif asked.refused:
            untold[name] = f"{asked.refused} readings cannot be: {asked.refusals[0]}"
    return untold


def _seal(tally: Tally) -> None:
    """Seal the days that every provider has behind it."""
    marks = progress.Watermark.objects.filter(job=daily.JOB, provider__active=True)
    done = min(marks.values_list("on", flat=True), default=None)
    if done and (made := sealing.seal(done - timedelta(days=1))):
        tally.say(f"sealed {made.on}: {made.transfers} transfers, {made.digest}")


def _workers(text: str) -> int:
    """Read how many processes are wanted; raise OptionError for what is no such number."""
    if not text:
        return int(settings.BILLING_WORKERS) or usual_count()
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= MOST_WORKERS):
        raise OptionError(f"workers: {text[:20]!r} is not a number from 1 to {MOST_WORKERS}")
    return int(text)


def _bill(provider: Provider, on: date, tally: Tally, plan: daily.Plan) -> None:
    due = progress.dates(daily.JOB, provider, on)
    if not due:
        tally.say(f"{provider.code}: {on} is done already, nothing was changed")
        return
    order = Order(daily.JOB, on, plan.rehearsal, plan.confirmed)
    require_begun(order, provider, on, tally)
    if len(due) > provider.most_days_forward:
        question = f"{len(due)} dates, {due[0]} to {on}, would be billed at once"
        may_pass(order, provider, on, question, tally)
    for day in due[-1:] if plan.rehearsal else due:
        try:
            figures = daily.bill(provider, day, plan)
        except LimitError as error:
            may_pass(order, provider, day, error.question, tally)
            figures = daily.bill(provider, day, replace(plan, confirmed=True))
        _tell(provider, day, figures, tally, dry_run=plan.rehearsal)


def _tell(provider: Provider, on: date, figures: Figures, tally: Tally, *, dry_run: bool) -> None:
    counts = figures.counts
    tally.done += counts["renewed"]
    tally.unchanged += counts["unfunded"] + counts["left_out"]
    tally.figures[f"{provider.code} {on}"] = figures.values()
    would = "would be renewed" if dry_run else "renewed"
    sums = comparing.sums(figures.charged, "nothing charged")
    tally.say(
        f"{provider.code} {on}: {counts['renewed']} {would} ({sums}), "
        f"{counts['unfunded']} without money, {counts['left_out']} not to be renewed"
    )
    if counts["parked"]:
        tally.failed[f"{provider.code} {on}"] = (
            f"{counts['parked']} accounts could not be billed and are parked"
        )
    last = progress.before(None, daily.JOB, provider) if dry_run else None
    if last is not None:
        for line in comparing.movers(figures, Figures.of(last.figures)):
            tally.say(f"  compared with {last.on}: {line}")
