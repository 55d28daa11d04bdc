"""Create, edit or clone a job: one form in Basic and Expert, previewed, then saved as its line."""

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.views.decorators.http import require_http_methods, require_POST

from billclock.cron import CronError, Expression
from billclock.scheduler import models
from billclock.web import crontabs
from billclock.web.access import editor, open_to, signed_in, table_of
from billclock.web.edit_acts import answered
from billclock.web.edit_page import Subject, page, previewed
from billclock.web.fresh import fresh
from billclock.web.job_form import BASIC, CUSTOM, DAILY, JobForm, shown, typed
from billclock.web.numbers import whole
from billclock.web.visible import visible


@require_http_methods(["GET", "HEAD", "POST"])
@fresh
def new(request: HttpRequest) -> HttpResponse:
    """Create a job; an expression in the address is where its schedule begins."""
    subject = Subject(open_to(signed_in(request), table_of(request)))
    if request.method == "POST":
        return answered(request, subject)
    form = JobForm()
    form.line = request.GET.get("expression", DAILY)
    try:
        form = form.scheduled(Expression.parse(form.line))
    except CronError:
        form = form.scheduled(Expression.parse(DAILY))
    form.mode = "expert" if form.interval["run_every"] == CUSTOM else BASIC
    return page(request, subject, form)


@require_http_methods(["GET", "HEAD", "POST"])
@fresh
def edit(request: HttpRequest, entry: int) -> HttpResponse:
    """Edit a job; who may not sees its form read-only."""
    subject = _subject(request, entry)
    if request.method == "POST":
        return answered(request, subject)
    return _shown(request, subject, subject)


@require_http_methods(["GET", "HEAD"])
def clone(request: HttpRequest, entry: int) -> HttpResponse:
    """Begin a new job with all that another one has."""
    subject = _subject(request, entry)
    return _shown(request, subject, Subject(subject.reading))


@require_POST
def preview_form(request: HttpRequest) -> HttpResponse:
    """Give the preview of a form that somebody types in, and its schedule in both modes' terms.

    For editors only: its findings tell which files there are.
    """
    editor(request)
    subject = Subject(crontabs.load(table_of(request)))
    key = whole(request.POST.get("entry", ""))
    if key is not None:
        subject = _subject(request, key)
    form = typed(request.POST).settled()
    context = previewed(form, subject)
    return JsonResponse(
        {
            "html": render_to_string("edit/preview.html", context, request),
            "errors": {name: visible(text) for name, text in form.errors.items()},
            "line": form.line,
            "five": list(form.five),
            "interval": {**form.interval, "time": form.time},
        }
    )


def _shown(request: HttpRequest, subject: Subject, edited: Subject) -> HttpResponse:
    """Show an entry in a form that saves as `edited`; where it can't be read, say why."""
    if subject.reading.problem is not None:
        return page(request, edited, JobForm())
    if subject.entry is None:
        raise Http404
    return page(request, edited, shown(subject.entry))


def _subject(request: HttpRequest, key: int) -> Subject:
    row = get_object_or_404(models.Entry, pk=key, gone_at=None)
    if not signed_in(request).sees(row.table):
        raise PermissionDenied
    reading = open_to(signed_in(request), row.table)
    if reading.snapshot is None:
        return Subject(reading, key)
    return Subject(reading, key, reading.snapshot.entry(key))
