"""The page of a job's form: what is edited, and all that its template shows."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from billclock.cron.chains import spaced
from billclock.cron.entry import Entry
from billclock.cron.interval import STEPS_OF_HOURS, STEPS_OF_MINUTES
from billclock.jobs.registry import all_jobs
from billclock.web import job_parameters, policy_words, programs, table_form
from billclock.web.access import may_edit, signed_in
from billclock.web.code import remark
from billclock.web.crontab_text import framed
from billclock.web.crontabs import Reading
from billclock.web.job_form import CUSTOM, FIELDS, JobForm
from billclock.web.preview import Preview, preview
from billclock.web.times import Wall

MOST_CALLED = 500
NOTHING = ":"  # the shell's command that does nothing stands for one that is still to come


@dataclass(frozen=True)
class Subject:
    """What is edited: a table as it is now, and the entry in it (None: a new one) with its key."""

    reading: Reading
    key: int | None = None
    entry: Entry | None = None


def page(
    request: HttpRequest, subject: Subject, form: JobForm, status: int = 200, **more: object
) -> HttpResponse:
    """Show the form with its preview; `more` is what else the template is told."""
    context = framed(request, subject.reading, "job") | previewed(form, subject, status)
    context |= {
        "key": subject.key,
        "seen": request.POST.get("seen", context["seen"]),
        "undo": None,
        "jobs": all_jobs(),
        "programs": programs.found(subject.reading.crontab),
        "parameters": job_parameters.of(form.command),
        "zones": table_form.zones(),
        "columns": _columns(form),
        "called": _called(subject),
        "mailto": _mailto(subject),
        "may_edit": may_edit(signed_in(request)) and not subject.reading.crontab.system,
        "choices": {
            key.replace("-", "_"): policy_words.offered(words, form.directives.get(key, ""))
            for key, words in policy_words.CHOICES.items()
        },
        "standing": policy_words.standing(_above(subject)),
        "weekdays": _weekdays(),
        "months": _months(),
        "minutes": STEPS_OF_MINUTES,
        "hours": STEPS_OF_HOURS,
    }
    return render(request, "edit/page.html", context | more, status=status)


def previewed(form: JobForm, subject: Subject, status: int = 200) -> dict[str, Any]:
    """Give what templates/edit/preview.html shows of a form.

    A command that is still to be typed is an error only where the form was refused.
    """
    form.table = subject.reading.name
    found: Preview | None = preview(form, subject.reading.crontab, subject.entry, Wall.here())
    seen = None if found else glimpse(form, subject)
    if status == HTTPStatus.OK and not form.command.strip():
        form.errors.pop("command", None)
    return {
        "form": form,
        "preview": found,
        "glimpse": seen,
        "custom": form.interval.get("run_every") == CUSTOM,
        "table": subject.reading.name,
    }


def glimpse(form: JobForm, subject: Subject) -> Preview | None:
    """Give what is known before there is a command: when it would run. None if that is unknown."""
    if form.command.strip() or set(form.errors) != {"command"}:
        return None
    meant = replace(form, command=NOTHING, errors={})
    found = preview(meant, subject.reading.crontab, subject.entry, Wall.here())
    if found is None:
        return None
    of_schedule = [one for one in found.found if one.column <= len(form.line)]
    return replace(found, found=of_schedule, remarks=[remark(one) for one in of_schedule])


def _called(subject: Subject) -> list[str]:
    """Give what the other active jobs of a table are called, for chains, if one can type it."""
    own = subject.entry.line if subject.entry else 0
    others = (one for one in subject.reading.crontab.entries if one.active and one.line != own)
    called = {one.directives.get("name") or spaced(one.description) for one in others}
    return sorted(name for name in called - {""} if name.isprintable())[:MOST_CALLED]


def _mailto(subject: Subject) -> str | None:
    """Give whom reports go to: what MAILTO says for the job, None where it is not set."""
    return _above(subject).get("MAILTO")


def _above(subject: Subject) -> dict[str, str]:
    """Give the assignments that hold for the job; a new one comes below the table's last."""
    entries = subject.reading.crontab.entries
    held = subject.entry or (entries[-1] if entries else None)
    return held.environment if held else table_form.above(subject.reading.crontab)


def _columns(form: JobForm) -> list[tuple[str, str, str, str, str]]:
    """Give Expert mode's five fields: name, label, range, text, error."""
    labels = (_("Minute"), _("Hour"), _("Day"), _("Month"), _("Weekday"))
    ranges = ("0–59", "0–23", "1–31", "1–12", "0–7")
    five = [*form.five, *[""] * 5]
    return [
        (name, label, bounds, text, form.errors.get(name, ""))
        for name, label, bounds, text in zip(FIELDS, labels, ranges, five, strict=False)
    ]


def _months() -> Sequence[tuple[str, str]]:
    """Give the months' numbers with their names."""
    return [(f"{month}", date_format(date(2000, month, 1), "F")) for month in range(1, 13)]


def _weekdays() -> list[tuple[str, str]]:
    """Give the weekdays, Monday first, by cron's numbers."""
    words = (_("Mon"), _("Tue"), _("Wed"), _("Thu"), _("Fri"), _("Sat"), _("Sun"))
    return list(zip(("1", "2", "3", "4", "5", "6", "0"), words, strict=True))
