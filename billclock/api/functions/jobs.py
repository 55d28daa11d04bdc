"""The jobs that mgrctl calls, as functions: the settings of a pair's rates among them."""

from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Annotated

from billclock.accounts.models import Role
from billclock.api.documents import Document, Fault, Kind
from billclock.api.functions.rates import Plid, pair
from billclock.api.parameters import FunctionError
from billclock.api.registry import Actor, function
from billclock.billing import currencies
from billclock.billing.currencies import Rate
from billclock.billing.rates import sources
from billclock.jobs import registry
from billclock.jobs.job import Job, Program
from billclock.jobs.report import Report

UPLOAD = "currencyrate.upload"

OnDate = Annotated[date | None, "the date it runs for, today if left out"]
DryRun = Annotated[bool, "say what would change, change nothing"]
Confirm = Annotated[bool, "let a limit pass"]
Explain = Annotated[str, "an object: why it is as it is"]


def answered(report: Report, name: str) -> Document:
    """Give a job's report as a document; failures and a refusal are its error."""
    fault = None
    if report.busy:
        fault = Fault("busy", name, "", report.busy)
    elif report.failed:
        what, reason = next(iter(report.failed.items()))
        fault = Fault("job", what, "", reason)
    values = {
        "done": str(report.done),
        "unchanged": str(report.unchanged),
        "failed": "\n".join(f"{name}: {why}" for name, why in report.failed.items()),
        "summary": "\n".join(report.lines),
    }
    code = int(report.exit_code)
    return Document(
        name, Kind.ACTION, values=values, text=report.text(), fault=fault, exit_code=code
    )


def run_job(
    job: str,
    actor: Actor,
    *,
    sok: Annotated[bool, "accepted, as the article's line has it"] = False,
    date: OnDate = None,
    dry_run: DryRun = False,
    confirm: Confirm = False,
    explain: Explain = "",
    **options: str,
) -> Document:
    """Run a job with its own options."""
    del actor, sok
    report = registry.perform(
        job, on=date, dry_run=dry_run, confirm=confirm, explain=explain, options=options
    )
    return answered(report, job)


@function("crontask", title="Run a function for cron", kind=Kind.ACTION, whole=True)
def crontask(
    actor: Actor,
    *,
    action: Annotated[str, "a job's function, such as processing.checkbalance"],
    sok: bool = False,
    date: OnDate = None,
    dry_run: DryRun = False,
    confirm: Confirm = False,
    explain: Explain = "",
) -> Document:
    """Run the job that `action` names."""
    if action not in {job.name for job in _called_by_mgrctl()}:
        names = ", ".join(job.name for job in _called_by_mgrctl())
        raise FunctionError("value", "action", action, f"no job {action!r} here; there are {names}")
    return run_job(
        action,
        actor,
        sok=sok,
        date=date,
        dry_run=dry_run,
        confirm=confirm,
        explain=explain,
    )


@function(UPLOAD, title="Upload currency rates", kind=Kind.FORM, whole=True)
def upload_rates(  # noqa: PLR0913 - the form has these fields
    actor: Actor,
    *,
    plid: Plid = "",
    elid: Annotated[str, "the same as plid"] = "",
    upload: Annotated[bool, "upload now; without it sok=ok saves the settings"] = False,
    sok: Annotated[bool, "ok to upload or to save"] = False,
    source: Annotated[str, "ecb, cbr, NAME@MIRROR/, an address or a path"] = "",
    formula: Annotated[str | None, "operations on the rate, such as *1.05"] = None,
    guard: Annotated[str, "the change in per cent that waits for confirm"] = "",
    replace: Annotated[bool, "replace known rates, manual ones too"] = False,
    date: OnDate = None,
    dry_run: DryRun = False,
    confirm: Confirm = False,
    explain: Explain = "",
) -> Document:
    """Show a pair's settings, save them, or upload its rates."""
    pairs = plid or elid
    if explain or (sok and upload):
        options = {"plid": pairs, "source": source, "replace": "on" if replace else "off"}
        if formula is not None:
            options["formula"] = formula
        report = registry.perform(
            UPLOAD, on=date, dry_run=dry_run, confirm=confirm, explain=explain, options=options
        )
        return answered(report, UPLOAD)
    of = pair(pairs)
    made = currencies.settings_of(of)
    if not sok:
        return Document(UPLOAD, Kind.FORM, values=_form(made, actor))
    if guard and not guard.isdecimal():
        raise FunctionError("value", "guard", guard, f"guard: {guard!r} is not a whole number")
    currencies.configure(
        of,
        source=source or made.source,
        formula=made.formula if formula is None else formula,
        guard=int(guard or made.guard),
    )
    return Document(UPLOAD, Kind.ACTION)


def _form(made: currencies.RatePair, actor: Actor) -> dict[str, str]:
    """Give a pair's settings; its source whole to those alone who may change it."""
    whole = actor.may(Role.ROOT) and actor.tables is None
    last = Rate.objects.of(made.pair).current().order_by("-on").first()
    return {
        "plid": str(made.pair),
        "source": made.source if whole else sources.told(made.source),
        "formula": made.formula,
        "guard": str(made.guard),
        "last_date": str(last.on) if last else "",
        "last_rate": f"{last.value:f}" if last else "",
        "last_source": last.source if last else "",
    }


def _called_by_mgrctl() -> list[Job]:
    return [job for job in registry.all_jobs() if job.program is Program.MGRCTL]


def _register() -> None:
    """Give every other job of mgrctl its function."""
    for job in _called_by_mgrctl():
        if job.name != UPLOAD:
            answer: Callable[..., Document] = partial(run_job, job.name)
            options = {option.name: "" for option in job.options}
            register = function(
                job.name, title=job.meaning, kind=Kind.ACTION, whole=True, more=options
            )
            register(answer)


_register()
