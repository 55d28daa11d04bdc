"""The Timeline page: what ran and what is to come, from an hour to a month, and what if."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from billclock.cron import CronError, Expression
from billclock.cron.crontab import Crontab
from billclock.scheduler.load import Schedules, load
from billclock.web import crontabs
from billclock.web.access import may_edit, signed_in, table_of
from billclock.web.numbers import whole
from billclock.web.retold import told
from billclock.web.rows import language
from billclock.web.timeline_agenda import agenda
from billclock.web.timeline_bands import changes, pauses
from billclock.web.timeline_ical import calendar
from billclock.web.timeline_lanes import HEIGHT, Lane, Note, lanes
from billclock.web.timeline_load import coming_week, proposed, simulated, strip
from billclock.web.timeline_month import weeks
from billclock.web.timeline_past import started
from billclock.web.timeline_plan import Job, Planned, jobs, schedules
from billclock.web.timeline_range import LENGTHS, Range, Zoom, shown
from billclock.web.times import Wall
from billclock.web.visible import visible

A_PAGE = 40  # lanes
HEAD, FOOT = 54, 72  # pixels above and below the lanes


@dataclass(frozen=True)
class Plan:
    """All that a timeline is drawn from: one table's jobs, and the schedules of all seen."""

    table: str
    jobs: Sequence[Job]
    everything: Schedules
    crontab: Crontab
    restricted: Sequence[str] | None
    only: Job | None

    def own(self, wall: Wall) -> Schedules:
        """Give the schedules of the jobs shown: the table's, or those of the one alone."""
        if self.only is None:
            return schedules([self.crontab], wall.zone)
        return _schedules([self.only])


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Show a table (`?table=`) at a zoom (`?zoom=`) from a moment on (`?at=`), by job or tag.

    `?entry=` shows one job alone, while the load below its lane stays that of all.
    `?what=` is an expression that is not saved, `?quiet=` a time near which a quiet minute is
    wished, `?from=` and `?until=` are the days of a range to simulate.
    """
    wall = Wall.here()
    plan = _plan(request, wall)
    span = shown(request.GET.get("zoom", ""), request.GET.get("at", ""), wall)
    context = {
        "table": plan.table,
        "names": crontabs.names(signed_in(request)),
        "may_edit": may_edit(signed_in(request)) and not plan.crontab.system,
        "span": span,
        "zooms": list(Zoom),
        "by": "tag" if request.GET.get("by") == "tag" else "job",
        "counts": {"all": len(plan.crontab.entries)},
        "only": plan.only,
        "kept": f"&entry={plan.only.key}" if plan.only else "",
        "at": span.typed if request.GET.get("at") else "",
        "wall": wall,
        "week": coming_week(plan.jobs, plan.everything, wall),
        "now": span.left(wall.now) if 0 <= span.place(wall.now) <= 100 else None,  # noqa: PLR2004
        **_proposals(request, plan, wall),
    }
    if span.zoom is Zoom.MONTH:
        own = plan.own(wall)
        context["weeks"] = weeks(plan.table, own, span, plan.only.key if plan.only else None)
    else:
        context |= _drawn(request, plan, span)
    return render(request, "timeline/page.html", context)


@require_safe
def ical(request: HttpRequest) -> HttpResponse:
    """Give the runs of the coming 31 days as a calendar."""
    wall = Wall.here()
    plan = _plan(request, wall)
    end = (wall.now.astimezone(UTC) + LENGTHS[Zoom.MONTH]).astimezone(wall.zone)
    data = calendar(plan.table, plan.jobs, Range(Zoom.MONTH, wall.now, end, wall))
    answer = HttpResponse(data, content_type="text/calendar; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="billclock.ics"'
    return answer


def _plan(request: HttpRequest, wall: Wall) -> Plan:
    user = signed_in(request)
    table = table_of(request)
    names = crontabs.names(user)
    texts = {name: crontabs.read(name).crontab for name in names}
    found = jobs(table, texts[table], wall.zone)
    entry = request.GET.get("entry", "")
    only = next((job for job in found if job.key is not None and str(job.key) == entry), None)
    return Plan(
        table=table,
        jobs=[only] if only else found,
        only=only,
        everything=schedules(texts.values(), wall.zone),
        crontab=texts[table],
        restricted=names if user.tables.split() else None,
    )


def _drawn(request: HttpRequest, plan: Plan, span: Range) -> dict[str, Any]:
    """Draw the lanes of one page with all that lies over and below them."""
    groups = list(_groups(request, plan))
    pages = max(-(-len(groups) // A_PAGE), 1)
    number = min(max(whole(request.GET.get("page", "")) or 1, 1), pages)
    part = groups[(number - 1) * A_PAGE : number * A_PAGE]
    imagined, error = _imagined(request, span.wall)
    if imagined:
        part = [(imagined.title, [imagined]), *part]
    drawn: list[Lane] = lanes(part, span)
    more = Counter(_schedules([imagined]) if imagined else {})
    if imagined:
        _unsaved(drawn[0], imagined, span.wall)
    height = len(drawn) * HEIGHT
    return {
        "lanes": drawn,
        "error": error,
        "bands": [
            *pauses(span, [(lane, each) for lane, (_, each) in zip(drawn, part, strict=True)]),
            *changes(span),
        ],
        "strip": strip(started(plan.restricted, span), more + Counter(plan.everything), span),
        "coming": _coming(more + Counter(plan.own(span.wall)), span),
        "agenda": agenda([job for _title, each in part for job in each], drawn, span),
        "bottom": height,
        "height": height + HEAD + FOOT,
        "before": number - 1 if number > 1 else None,
        "after": number + 1 if number < pages else None,
        "page_words": _("%(page)d of %(pages)d") % {"page": number, "pages": pages},
    }


def _groups(request: HttpRequest, plan: Plan) -> Iterator[tuple[str, list[Job]]]:
    """Give the lanes' titles and jobs: one a job, or one a tag (`?by=tag`)."""
    if plan.only or request.GET.get("by") != "tag":
        yield from ((job.title, [job]) for job in plan.jobs)
        return
    tagged: defaultdict[str, list[Job]] = defaultdict(list)
    for job in plan.jobs:
        for tag in job.planned.tags or ("",):
            tagged[tag].append(job)
    for tag in sorted(tagged, key=lambda name: (not name, name)):
        yield visible(tag) or _("without a tag"), tagged[tag]


def _imagined(request: HttpRequest, wall: Wall) -> tuple[Job | None, str]:
    """Give the job that is not saved (`?what=`), or what is wrong with its expression."""
    text = request.GET.get("what", "").strip()
    if not text:
        return None, ""
    try:
        expression = Expression.parse(text[:1000])
    except CronError as error:
        return None, visible(told(error))
    planned = Planned(0, expression, wall.zone, True, (), "")
    return Job(planned, None, _("What if: %s") % expression.describe(language())), ""


def _unsaved(lane: Lane, imagined: Job, wall: Wall) -> None:
    """Mark a lane as of a job that is not saved; one that shows no start says when the next is."""
    lane.unsaved = True
    first = imagined.planned.expression.next(wall.now)
    if not lane.count and first is not None:
        lane.notes.append(Note("0%", "now", _("next %s") % wall.within(first)))


def _schedules(found: Sequence[Job]) -> Schedules:
    return {(job.planned.expression, job.planned.zone): 1 for job in found if job.planned.active}


def _coming(own: Schedules, span: Range) -> int:
    """Count the starts to come of some schedules in a range."""
    since = max(span.begin, span.now)
    return load(own, since, span.close).total if since < span.close else 0


def _proposals(request: HttpRequest, plan: Plan, wall: Wall) -> dict[str, Any]:
    """Answer what is asked of the time to come: a quiet minute, a range simulated."""
    wished = request.GET.get("quiet", "")
    since, until = _date(request.GET.get("from", "")), _date(request.GET.get("until", ""))
    asked = bool(request.GET.get("from") or request.GET.get("until"))
    found = simulated(plan.jobs, plan.everything, since, until, wall) if since and until else None
    return {
        "quiet": proposed(wished, plan.everything, wall) if wished else None,
        "quiet_error": bool(wished) and proposed(wished, plan.everything, wall) is None,
        "what": request.GET.get("what", ""),
        "simulated": found,
        "simulated_error": asked and found is None,
        "since": since or wall.now.date(),
        "until": until or wall.now.date() + timedelta(days=6),
    }


def _date(text: str) -> date | None:
    try:
        return datetime.fromisoformat(text).date()
    except ValueError:
        return None
