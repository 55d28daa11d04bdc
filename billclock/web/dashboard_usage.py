"""How much the house works, from the figures that collect_usageinfo counted day by day."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.template.defaultfilters import filesizeformat
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billclock.billing.statistics import WHOLE, DailyFigure
from billclock.scheduler.models import Outcome
from billclock.web.dashboard_card import Look
from billclock.web.kit import chart
from billclock.web.templatetags.screen import grouped
from billclock.web.times import duration
from billclock.web.visible import visible

DAYS, WEEK = 30, 7
BUSIEST = 6
MEBI = 2**20
BAD = tuple(f": {outcome}" for outcome in (Outcome.FAILED, Outcome.TIMED_OUT, Outcome.LOST))


@dataclass(frozen=True)
class Share:
    """A job's part of something: its name, how much in words, per cent of the largest."""

    name: str
    told: str
    width: str


def runs(look: Look) -> Mapping[str, Any]:
    """Draw the runs of each day of the last month, and those that failed: one query."""
    first = look.wall.now.date() - timedelta(days=DAYS)
    figures = DailyFigure.objects.filter(metric="runs", day__gte=first)
    totals: Counter[date] = Counter()
    failed: Counter[date] = Counter()
    for day, key, value in figures.values_list("day", "key", "value"):
        if key == WHOLE:
            totals[day] += value
        elif key.endswith(BAD):
            failed[day] += value
    if not totals:
        return {}
    days = [first + timedelta(days=n) for n in range(DAYS)]
    days = [day for day in days if day >= min(totals)]
    bars = [(day, float(totals[day]), "past", _day(day, totals[day])) for day in days]
    bars += [(day, float(failed[day]), "bad", _bad(day, failed[day])) for day in days]
    label = _("%(runs)s in %(days)d days, %(failed)s") % {
        "runs": _runs(totals.total()),
        "days": len(days),
        "failed": _failed(failed.total()),
    }
    return {"chart": chart.bars(bars), "label": label}


def busiest(look: Look) -> Mapping[str, Any]:
    """Give the jobs that ran longest in the last week: one query."""
    first = look.wall.now.date() - timedelta(days=WEEK)
    figures = DailyFigure.objects.filter(metric="milliseconds", day__gte=first)
    spent: Counter[str] = Counter()
    for key, value in figures.exclude(key=WHOLE).values_list("key", "value"):
        spent[key] += value
    longest = spent.most_common(BUSIEST)
    return {
        "shares": [
            Share(visible(name), duration(value / 1000), _width(value, longest[0][1]))
            for name, value in longest
        ]
    }


def sizes(look: Look) -> Mapping[str, Any]:
    """Draw how large databases and outputs were over the last month: one query."""
    first = look.wall.now.date() - timedelta(days=DAYS)
    figures = DailyFigure.objects.filter(metric="bytes", day__gte=first).order_by("day")
    of_day: defaultdict[date, dict[str, int]] = defaultdict(dict)
    for day, key, value in figures.values_list("day", "key", "value"):
        of_day[day][key] = value
    if not of_day:
        return {}
    last = max(of_day)
    points = [(day, found.get(WHOLE, 0) / MEBI) for day, found in sorted(of_day.items())]
    parts = sorted(((v, k) for k, v in of_day[last].items() if k != WHOLE), reverse=True)
    told = _("%(size)s on %(day)s") % {
        "size": filesizeformat(of_day[last].get(WHOLE, 0)),
        "day": date_format(last, "j M"),
    }
    return {
        "chart": chart.line(points, points[0][0], last, height=160) if len(points) > 1 else None,
        "label": told,
        "parts": [(name, filesizeformat(value)) for value, name in parts],
    }


def _width(value: int, most: int) -> str:
    return f"{100 * value / most if most else 0:.1f}%"


def _runs(count: int) -> str:
    return ngettext("%(n)s run", "%(n)s runs", count) % {"n": grouped(count)}


def _failed(count: int) -> str:
    return ngettext("%(n)s failed", "%(n)s failed", count) % {"n": grouped(count)}


def _day(day: date, count: int) -> str:
    return f"{date_format(day, 'D j M')}: {_runs(count)}"


def _bad(day: date, count: int) -> str:
    return f"{date_format(day, 'D j M')}: {_failed(count)}"
