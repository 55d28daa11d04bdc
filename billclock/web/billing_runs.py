"""Runs of billing jobs by provider and date: what they did, what they stopped for, Allow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from billclock.accounts.models import Role
from billclock.billing import progress
from billclock.billing.progress import JobChunk, JobRun
from billclock.billing.provider import Provider
from billclock.jobs import registry
from billclock.web.access import signed_in
from billclock.web.billing_runs_figures import figures, shortly
from billclock.web.billing_runs_next import run_now, said
from billclock.web.kit import rights
from billclock.web.kit.columns import Day, Moment, Number, State, Text
from billclock.web.kit.filters import Choice, Days
from billclock.web.kit.marks import Mark
from billclock.web.kit.panels import Panel, Related
from billclock.web.kit.section import Act, Given, Section
from billclock.web.retold import retold
from billclock.web.times import duration
from billclock.web.visible import visible

RUNNING, DONE, ASKING, ALLOWED, PAST = "running", "done", "asking", "allowed", "past"
STATES = {
    RUNNING: Mark("play", "now", _("running")),
    DONE: Mark("circle-check", "ok", _("finished")),
    ASKING: Mark("octagon-alert", "bad", _("waits for a person")),
    ALLOWED: Mark("hourglass", "warn", _("allowed, goes on")),
    PAST: Mark("circle-dashed", "off", _("stopped, and left behind")),
}

PHASES = {JobChunk.Phase.PERIODS: _("periods"), JobChunk.Phase.USE: _("use")}


def state(run: Any) -> str:
    """Give where a run of `rows` stands."""
    if run.state != JobRun.State.STOPPED:
        return DONE if run.state == JobRun.State.DONE else RUNNING
    if run.past:
        return PAST
    return ALLOWED if run.allowed_at else ASKING


def _in_state(rows: QuerySet[Any], value: str) -> QuerySet[Any]:
    if value in (RUNNING, DONE):
        wanted = JobRun.State.DONE if value == DONE else JobRun.State.RUNNING
        return rows.filter(state=wanted)
    stopped = rows.filter(state=JobRun.State.STOPPED, past=value == PAST)
    return stopped if value == PAST else stopped.filter(allowed_at__isnull=value == ASKING)


def rows() -> QuerySet[JobRun]:
    """Give every run with what its columns need."""
    return JobRun.objects.with_past().select_related("provider")


def title(run: JobRun) -> str:
    """Name a run's job as the table of jobs does."""
    known = next((job for job in registry.all_jobs() if job.name == run.job), None)
    return retold(known.title) if known else ""


def _jobs() -> dict[str, str]:
    found = JobRun.objects.order_by("job").values_list("job", flat=True).distinct()
    return {name: name for name in found}


def _providers() -> dict[str, str]:
    return {str(key): code for key, code in Provider.objects.values_list("pk", "code")}


def _took(run: JobRun) -> str:
    return duration(run.finished_at - run.started_at) if run.finished_at else ""


def _allow(run: JobRun, given: Given) -> str:
    progress.allow(run, given.by.email)
    return said(run.job, given.by)


def _why_not_allow(run: JobRun) -> str:
    if state(run) == ASKING:
        return ""
    return str(_("It waits for no answer."))


def _run(run: JobRun, given: Given) -> str:
    return run_now(run.job, given)


def _why_not_run(run: JobRun) -> str:
    return "" if state(run) in (ASKING, ALLOWED) else str(_("There is nothing left of it to do."))


def _question(run: JobRun, request: HttpRequest) -> Mapping[str, Any] | None:
    """Give what a run asks, what follows from an answer, and where what it would do is shown."""
    if not run.stopped_by:
        return None
    user, here = signed_in(request), state(run)
    waits = here in (ASKING, ALLOWED)
    return {
        "question": visible(retold(run.stopped_by)),
        "state": here,
        "by": visible(run.allowed_by),
        "coming": said(run.job, user) if here == ALLOWED else "",
        "preview": reverse("billing-runs_preview", args=[run.pk])
        if waits and rights.acts(user, BILLING_RUNS, Role.OPERATOR)
        else "",
    }


def _figures(run: JobRun, _request: HttpRequest) -> Mapping[str, Any] | None:
    found = figures(run)
    return {"figures": found} if found else None


def _phase(chunk: JobChunk) -> object:
    return PHASES[JobChunk.Phase(chunk.phase)]


def _chunks(run: Any) -> QuerySet[JobChunk]:
    found: QuerySet[JobChunk] = run.chunks.order_by("pk")
    return found


BILLING_RUNS = Section(
    name="billing-runs",
    title=_("Billing runs"),
    one=_("billing run"),
    rows=rows,
    named="named",
    columns=(
        Text("job", _("Job"), below=title),
        Text("provider", _("Provider"), of="provider.code"),
        Day("on", _("Business date"), sort="on"),
        State("state", _("State"), of=state, marks=STATES),
        Text("figures", _("What it did"), of=shortly),
        Moment("started_at", _("Begun"), sort="started_at", less=True),
        Text("took", _("Took"), of=_took, less=True),
        Text("allowed_by", _("Allowed by"), less=True),
    ),
    search=("job", "provider__code"),
    filters=(
        Choice("job", _("Job"), choices=_jobs),
        Choice("provider", _("Provider"), choices=_providers),
        Choice("state", _("State"), choices={name: mark.word for name, mark in STATES.items()},
               kept=_in_state),
        Days("on", _("Business date")),
    ),
    sort="-on",
    acts=(
        Act("allow", _("Allow"), _allow, icon="check", allowed=_why_not_allow,
            confirm=_("It goes on though it passed its limit, with all that it would do. Look at "
                      "its question and its preview first.")),
        Act("run", _("Run now"), _run, icon="play", role=Role.OPERATOR, bulk=False,
            allowed=_why_not_run),
    ),
    facts=(
        Text("job", _("Job"), below=title),
        Text("provider", _("Provider"), of="provider.code"),
        Day("on", _("Business date")),
        Moment("started_at", _("Begun")),
        Moment("finished_at", _("Ended or stopped")),
        Text("took", _("Took"), of=_took),
        Moment("allowed_at", _("Allowed")),
        Text("allowed_by", _("Allowed by")),
    ),
    panels=(
        Panel("question", _("What it stopped at"), template="billing_runs/question.html",
              context=_question),
        Panel("figures", _("What it did"), template="billing_runs/figures.html",
              context=_figures),
        Related(
            "chunks", _("Ranges of accounts that are done"), rows=_chunks, most=50,
            columns=(
                Text("phase", _("Phase"), of=_phase), Number("first", _("From account")),
                Number("last", _("To account")), Text("figures", _("What it did"), of=shortly),
            ),
            context=lambda run, _request: {} if run.chunks.exists() else None,
        ),
    ),
    intro=_("What billing jobs did, by provider and business date. One that passed a limit waits "
            "here until somebody allows it."),
    empty=_("No billing job has run yet."),
)  # fmt: skip
