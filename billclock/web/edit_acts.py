"""What the buttons of a job's form do: insert, mend, save, run it, test it."""

import shlex
from base64 import b64encode
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from billclock.accounts import audit
from billclock.cron import CronError
from billclock.cron.crontab import Crontab
from billclock.cron.entry import Entry
from billclock.cron.lint import fixed
from billclock.jobs.registry import UnknownJobError, find
from billclock.scheduler import control, desk, versions
from billclock.scheduler.control import NotRunningError, RefusedError
from billclock.scheduler.errors import Conflict, TableError
from billclock.scheduler.table import Snapshot
from billclock.web import programs
from billclock.web.access import editor, signed_in
from billclock.web.conflicts import meeting
from billclock.web.crontab_text import framed
from billclock.web.edit_asking import goes_beyond
from billclock.web.edit_page import Subject, glimpse, page
from billclock.web.job_form import BASIC, EXPERT, JobForm, shown, typed
from billclock.web.job_making import made, place
from billclock.web.preview import Preview, preview
from billclock.web.retold import told
from billclock.web.times import Wall
from billclock.web.undoing import saved
from billclock.web.visible import visible


def answered(request: HttpRequest, subject: Subject) -> HttpResponse:
    """Do what the pressed button says: save, or show the form again with something in it."""
    editor(request)
    form = typed(request.POST)
    if subject.key is not None and subject.entry is None:
        messages.error(request, _("The job is gone: Save makes a new one of what you typed."))
        subject = Subject(subject.reading)
    if request.POST.get("do") == "insert":
        return page(request, subject, _inserted(request, subject, form).settled())
    if request.POST.get("use"):
        form.mode, form.line = EXPERT, request.POST["use"]
        return page(request, subject, form.settled())
    form = form.settled()
    if request.POST.get("fix"):
        return page(request, subject, _mended(form, subject, request.POST["fix"]))
    if request.POST.get("do") in ("save", "run"):
        return _save(request, subject, form)
    if request.POST.get("do") == "test":
        return _test(request, subject, form)
    return page(request, subject, form)


def _inserted(request: HttpRequest, subject: Subject, form: JobForm) -> JobForm:
    """Put into the form what was chosen: a billing command, or a program by its path."""
    name = request.POST.get("insert_program", "").strip()
    if not name:
        return _with_job(form, request.POST.get("insert_job", ""))
    path = programs.path_of(name, subject.reading.crontab)
    if path is None:
        messages.error(request, _("No program %s is found.") % visible(name[:200]))
    else:
        form.command = " ".join([shlex.quote(path), *form.command.split(None, 1)[1:]])
    return form


def _with_job(form: JobForm, name: str) -> JobForm:
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
    found = found or glimpse(form, subject)
    if found is None:
        return form
    at = place(subject.reading.crontab, subject.entry)
    for finding in found.found:
        if finding.code == code:
            after = fixed(found.after, finding)
            if len(after.entries) == len(found.after.entries):
                mended = shown(after.entries[at])
                mended.mode = mended.mode if form.mode == BASIC else form.mode
                mended.command = mended.command if form.command.strip() else ""
                return mended
    return form


def _save(request: HttpRequest, subject: Subject, form: JobForm) -> HttpResponse:
    """Save the job; what changes more than its line is shown once before."""
    found = preview(form, subject.reading.crontab, subject.entry, Wall.here())
    if found is None:
        return page(request, subject, form, status=422)
    sure = versions.digest(bytes(found.after))
    if request.POST.get("sure") != sure and _asks(subject, found):
        return page(request, subject, form, sure=sure, asked=request.POST["do"])
    name, before = subject.reading.name, subject.reading.snapshot
    try:
        after = _written(request, subject, form)
    except Conflict as conflict:
        context = framed(request, subject.reading, "edit") | {"conflict": meeting(name, conflict)}
        return render(request, "crontab/conflict.html", context, status=409)
    except (TableError, NotRunningError, CronError) as problem:
        form.errors["command"] = visible(told(problem))
        return page(request, subject, form, status=422)
    key = subject.key or after.keys[-1]
    words = _("Saved: %s") % visible(form.description or form.command)
    act = "job.edit" if subject.key else "job.create"
    saved(request, act, str(key), before.data if before else None, after, words)
    return _run(request, name, key) if request.POST["do"] == "run" else _to_jobs(name)


def _asks(subject: Subject, found: Preview) -> bool:
    held = subject.reading.crontab
    job = found.after.entries[place(held, subject.entry)]
    return goes_beyond(held, subject.entry, found.after, job)


def _written(request: HttpRequest, subject: Subject, form: JobForm) -> Snapshot:
    """Write the job into its table as it was shown: as a new entry, or in place of its own."""
    author, seen = editor(request).email, request.POST.get("seen")
    name = subject.reading.name

    def change(now: Crontab, entry: Entry | None = None) -> Crontab:
        return made(form, now, entry)

    if subject.key is None:
        return desk.edit(name, change, author=author, seen=seen, note="job created")
    return desk.edit_entry(name, subject.key, change, author=author, seen=seen, note="job edited")


def _run(request: HttpRequest, table: str, key: int) -> HttpResponse:
    """Run the job that was saved, and go to its run."""
    email = signed_in(request).email
    try:
        answer = control.ask("run-now", entry=key, actor=email)
    except (NotRunningError, RefusedError) as error:
        messages.error(request, told(error))
        return _to_jobs(table)
    audit.note(email, "job.run", str(key), table=table, request=request)
    return redirect("run", run=answer["run"])


def _test(request: HttpRequest, subject: Subject, form: JobForm) -> HttpResponse:
    """Run the form's job as it is typed, saved nowhere and mailed to nobody; go to its run."""
    found = preview(form, subject.reading.crontab, subject.entry, Wall.here())
    if found is None:
        return page(request, subject, form, status=422)
    email = signed_in(request).email
    details: dict[str, Any] = {
        "entry": subject.key,
        "table": subject.reading.name,
        "place": place(subject.reading.crontab, subject.entry),
        "data": b64encode(bytes(found.after)).decode("ascii"),
    }
    try:
        answer = control.ask("test-run", actor=email, **details)
    except (NotRunningError, RefusedError) as error:
        messages.error(request, told(error))
        return page(request, subject, form)
    table = subject.reading.name
    audit.note(
        email, "job.test", str(subject.key or ""), table=table, after=form.command, request=request
    )
    return redirect("run", run=answer["run"])


def _to_jobs(table: str) -> HttpResponse:
    response = redirect("jobs")
    response["Location"] += f"?table={table}"
    return response
