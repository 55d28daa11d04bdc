"""Create, edit or clone a job: one form in Basic and Expert, previewed, then saved as its line."""

from base64 import b64encode
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from billclock.accounts import audit
from billclock.cron import CronError, Expression
from billclock.cron.crontab import Crontab
from billclock.cron.entry import Entry
from billclock.cron.interval import STEPS_OF_HOURS, STEPS_OF_MINUTES
from billclock.cron.lint import fixed
from billclock.jobs.registry import UnknownJobError, all_jobs, find
from billclock.scheduler import control, desk, models
from billclock.scheduler.control import NotRunningError, RefusedError
from billclock.scheduler.errors import Conflict, TableError
from billclock.scheduler.policies import CatchUp, MailWhen, Overlap
from billclock.web import crontabs
from billclock.web.access import editor, may_edit, signed_in, table_of
from billclock.web.conflicts import meeting
from billclock.web.crontab_text import framed
from billclock.web.crontabs import Reading
from billclock.web.fresh import fresh
from billclock.web.job_form import BASIC, CUSTOM, DAILY, FIELDS, JobForm, shown, typed
from billclock.web.job_making import made, place
from billclock.web.preview import Preview, preview
from billclock.web.table_form import zones
from billclock.web.times import Wall
from billclock.web.undoing import saved
from billclock.web.visible import visible


@dataclass(frozen=True)
class Subject:
    """What is edited: a table as it is now, and the entry in it (None: a new one) with its key."""

    reading: Reading
    key: int | None = None
    entry: Entry | None = None


@require_http_methods(["GET", "HEAD", "POST"])
@fresh
def new(request: HttpRequest) -> HttpResponse:
    """Create a job; an expression in the address is where its schedule begins."""
    subject = Subject(crontabs.load(table_of(request)))
    if request.method == "POST":
        return _answered(request, subject)
    form = JobForm()
    form.line = request.GET.get("expression", DAILY)
    try:
        form = form.scheduled(Expression.parse(form.line))
    except CronError:
        form = form.scheduled(Expression.parse(DAILY))
    form.mode = "expert" if form.interval["run_every"] == CUSTOM else BASIC
    return _page(request, subject, form)


@require_http_methods(["GET", "HEAD", "POST"])
@fresh
def edit(request: HttpRequest, entry: int) -> HttpResponse:
    """Edit a job; who may not sees its form read-only."""
    subject = _subject(request, entry)
    if request.method == "POST":
        return _answered(request, subject)
    if subject.entry is None:
        raise Http404
    return _page(request, subject, shown(subject.entry))


@require_http_methods(["GET", "HEAD"])
def clone(request: HttpRequest, entry: int) -> HttpResponse:
    """Begin a new job with all that another one has."""
    subject = _subject(request, entry)
    if subject.entry is None:
        raise Http404
    return _page(request, Subject(subject.reading), shown(subject.entry))


@require_POST
def preview_form(request: HttpRequest) -> HttpResponse:
    """Give the preview of a form that somebody types in, and its schedule in both modes' terms.

    For editors only: its findings tell which files there are.
    """
    editor(request)
    subject = Subject(crontabs.load(table_of(request)))
    key = request.POST.get("entry", "")
    if key.isdecimal():
        subject = _subject(request, int(key))
    form = typed(request.POST).settled()
    context = _previewed(form, subject)
    return JsonResponse(
        {
            "html": render_to_string("edit/preview.html", context, request),
            "errors": {name: visible(text) for name, text in form.errors.items()},
            "line": form.line,
            "five": list(form.five),
            "interval": {**form.interval, "time": form.time},
        }
    )


def _subject(request: HttpRequest, key: int) -> Subject:
    row = get_object_or_404(models.Entry, pk=key, gone_at=None)
    if not signed_in(request).sees(row.table):
        raise PermissionDenied
    reading = crontabs.load(row.table)
    if reading.snapshot is None:
        return Subject(reading, key)
    return Subject(reading, key, reading.snapshot.entry(key))


def _answered(request: HttpRequest, subject: Subject) -> HttpResponse:
    """Do what the pressed button says: save, or show the form again with something in it."""
    editor(request)
    form = typed(request.POST)
    if subject.key is not None and subject.entry is None:
        messages.error(request, _("The job is gone: Save makes a new one of what you typed."))
        subject = Subject(subject.reading)
    job = request.POST.get("insert_job", "")
    if request.POST.get("do") == "insert" and job:
        return _page(request, subject, _inserted(form, job).settled())
    if request.POST.get("use"):
        form.mode, form.line = "expert", request.POST["use"]
        return _page(request, subject, form.settled())
    form = form.settled()
    if request.POST.get("fix"):
        return _page(request, subject, _mended(form, subject, request.POST["fix"]))
    if request.POST.get("do") in ("save", "run"):
        return _save(request, subject, form)
    if request.POST.get("do") == "test":
        return _test(request, subject, form)
    return _page(request, subject, form)


def _inserted(form: JobForm, name: str) -> JobForm:
    """Put a billing job's command into the form, and its title and schedule where none are."""
    try:
        job = find(name)
    except UnknownJobError:
        return form
    first = not form.command
    form.command, form.hideout = f"{job.command.removesuffix(' >/dev/null 2>&1')}", job.quiet
    form.description = form.description or job.title
    if first and job.schedule:
        form.mode, form.line = "expert", job.schedule
        form.directives |= {"catch-up": "once"} if job.catch_up else {}
    return form


def _mended(form: JobForm, subject: Subject, code: str) -> JobForm:
    """Give the form with the mend of one finding in it; nothing is saved yet."""
    found = preview(form, subject.reading.crontab, subject.entry, Wall.here())
    if found is None:
        return form
    at = place(subject.reading.crontab, subject.entry)
    for finding in found.found:
        if finding.code == code:
            after = fixed(found.after, finding)
            if len(after.entries) == len(found.after.entries):
                mended = shown(after.entries[at])
                mended.mode = mended.mode if form.mode == BASIC else form.mode
                return mended
    return form


def _save(request: HttpRequest, subject: Subject, form: JobForm) -> HttpResponse:
    user = editor(request)
    name, before = subject.reading.name, subject.reading.snapshot
    if preview(form, subject.reading.crontab, subject.entry, Wall.here()) is None:
        return _page(request, subject, form, status=422)
    seen = request.POST.get("seen")
    try:
        if subject.key is None:
            note = "job created"
            after = desk.edit(
                name, lambda now: made(form, now, None), author=user.email, seen=seen, note=note
            )
        else:

            def change(now: Crontab, entry: Entry) -> Crontab:
                return made(form, now, entry)

            after = desk.edit_entry(
                name, subject.key, change, author=user.email, seen=seen, note="job edited"
            )
    except Conflict as conflict:
        context = framed(request, subject.reading, "edit") | {"conflict": meeting(name, conflict)}
        return render(request, "crontab/conflict.html", context, status=409)
    except (TableError, NotRunningError, CronError) as problem:
        form.errors["command"] = visible(str(problem))
        return _page(request, subject, form, status=422)
    key = subject.key or after.keys[-1]
    words = _("Saved: %s") % visible(form.description or form.command)
    act = "job.edit" if subject.key else "job.create"
    saved(request, act, str(key), before.data if before else None, after, words)
    return _run(request, name, key) if request.POST["do"] == "run" else _to_jobs(name)


def _run(request: HttpRequest, table: str, key: int) -> HttpResponse:
    """Run the job that was saved, and go to its run."""
    email = signed_in(request).email
    try:
        answer = control.ask("run-now", entry=key, actor=email)
    except (NotRunningError, RefusedError) as error:
        messages.error(request, str(error))
        return _to_jobs(table)
    audit.note(email, "job.run", str(key), table=table, request=request)
    return redirect("run", run=answer["run"])


def _test(request: HttpRequest, subject: Subject, form: JobForm) -> HttpResponse:
    """Run the form's job as it is typed, saved nowhere and mailed to nobody; go to its run."""
    found = preview(form, subject.reading.crontab, subject.entry, Wall.here())
    if found is None:
        return _page(request, subject, form, status=422)
    if subject.key is None:
        messages.error(request, _("A new job is saved first: a run belongs to a saved job."))
        return _page(request, subject, form)
    email = signed_in(request).email
    details: dict[str, Any] = {
        "entry": subject.key,
        "place": place(subject.reading.crontab, subject.entry),
        "data": b64encode(bytes(found.after)).decode("ascii"),
    }
    try:
        answer = control.ask("test-run", actor=email, **details)
    except (NotRunningError, RefusedError) as error:
        messages.error(request, str(error))
        return _page(request, subject, form)
    table = subject.reading.name
    audit.note(
        email, "job.test", str(subject.key), table=table, after=form.command, request=request
    )
    return redirect("run", run=answer["run"])


def _to_jobs(table: str) -> HttpResponse:
    response = redirect("jobs")
    response["Location"] += f"?table={table}"
    return response


def _page(request: HttpRequest, subject: Subject, form: JobForm, status: int = 200) -> HttpResponse:
    context = framed(request, subject.reading, "job") | _previewed(form, subject)
    context |= {
        "key": subject.key,
        "seen": request.POST.get("seen", context["seen"]),
        "undo": None,
        "jobs": all_jobs(),
        "zones": zones(),
        "columns": _columns(form),
        "mailto": _mailto(subject),
        "may_edit": may_edit(signed_in(request)) and not subject.reading.crontab.system,
        "choices": {
            "overlap": list(Overlap),
            "catch_up": list(CatchUp),
            "mail": list(MailWhen),
        },
        "weekdays": _weekdays(),
        "months": range(1, 13),
        "minutes": STEPS_OF_MINUTES,
        "hours": STEPS_OF_HOURS,
    }
    return render(request, "edit/page.html", context, status=status)


def _previewed(form: JobForm, subject: Subject) -> dict[str, Any]:
    found: Preview | None = preview(form, subject.reading.crontab, subject.entry, Wall.here())
    return {
        "form": form,
        "preview": found,
        "custom": form.interval.get("run_every") == CUSTOM,
        "table": subject.reading.name,
    }


def _mailto(subject: Subject) -> str | None:
    """Give whom reports go to: what MAILTO says for the job, None where it is not set."""
    entries = subject.reading.crontab.entries
    held = subject.entry or (entries[-1] if entries else None)
    return held.environment.get("MAILTO") if held else None


def _columns(form: JobForm) -> list[tuple[str, str, str, str, str]]:
    """Give Expert mode's five fields: name, label, range, text, error."""
    labels = (_("Minute"), _("Hour"), _("Day"), _("Month"), _("Weekday"))
    ranges = ("0–59", "0–23", "1–31", "1–12", "0–7")
    five = [*form.five, *[""] * 5]
    return [
        (name, label, bounds, text, form.errors.get(name, ""))
        for name, label, bounds, text in zip(FIELDS, labels, ranges, five, strict=False)
    ]


def _weekdays() -> list[tuple[str, str]]:
    """Give the weekdays, Monday first, by cron's numbers."""
    words = (_("Mon"), _("Tue"), _("Wed"), _("Thu"), _("Fri"), _("Sat"), _("Sun"))
    return list(zip(("1", "2", "3", "4", "5", "6", "0"), words, strict=True))
