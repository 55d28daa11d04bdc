"""Figures for Prometheus, computed from what happened and so the same in every process.

Counters and histograms count the current hour (UTC) and begin anew with each, which Prometheus
reads as a restart: runs are not kept for long enough to count all of them
(docs/decisions/0013-metrics-of-the-hour.md).
"""

import hmac
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from ipaddress import ip_address

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db.models import Count, Max, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from billclock import clock
from billclock.billing import unsigned
from billclock.scheduler.models import Beat, Entry, Outcome, Run, Slot, Trigger

LATENESS = (0.01, 0.02, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0, 300.0)  # seconds
DURATION = (0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 14400.0)
LOOK_BACK = timedelta(days=1)  # a run that took longer is not counted when it ends
FORWARDED = ("X-Forwarded-For", "Forwarded", "X-Real-IP")


@login_not_required
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer in Prometheus's text form, from loopback or with METRICS_KEY as bearer token."""
    if not (_is_local(request) or _has_key(request)):
        return HttpResponseForbidden("metrics are open to this machine, or to the bearer of a key")
    registry = CollectorRegistry()
    registry.register(Figures(clock.now()))
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _is_local(request: HttpRequest) -> bool:
    """Tell whether the client is this machine itself and not what a proxy here passes on."""
    if any(name in request.headers for name in FORWARDED):
        return False
    try:
        return ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


def _has_key(request: HttpRequest) -> bool:
    key = settings.METRICS_KEY
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    return bool(key) and scheme == "Bearer" and hmac.compare_digest(given.encode(), key.encode())


class Figures:
    """Collects everything in a fixed number of queries."""

    def __init__(self, now: datetime) -> None:
        """Look at `now` and the full hour before it."""
        self.now = now
        self.since = now.replace(minute=0, second=0, microsecond=0)

    def collect(self) -> Iterator[Metric]:
        """Give every metric (prometheus-client's contract)."""
        yield from self._of_daemon()
        yield from self._of_this_hour()
        yield from self._of_jobs()
        yield _unsigned()

    def _of_daemon(self) -> Iterator[Metric]:
        age = GaugeMetricFamily(
            "billclock_last_tick_age_seconds",
            "Since the last sign of life",
            labels=["host"],
        )
        for host, at in Beat.objects.values_list("host", "at"):
            age.add_metric([host], (self.now - at).total_seconds())
        yield age

    def _of_this_hour(self) -> Iterator[Metric]:
        outcomes: Counter[str] = Counter()
        starts: Counter[str] = Counter()
        lateness, durations = Buckets(LATENESS), Buckets(DURATION)
        rows = self._runs().values_list("outcome", "trigger", "planned", "started", "finished")
        for outcome, trigger, planned, started, finished in rows.iterator(chunk_size=2000):
            if started is None:
                continue
            if started >= self.since:
                starts[trigger] += 1
                if planned and trigger == Trigger.SCHEDULE:
                    lateness.add((started - planned).total_seconds())
            if finished:
                outcomes[outcome] += 1
                durations.add((finished - started).total_seconds())
        outcomes.update(self._without_start())
        yield from _counters(starts, outcomes, self.since)
        yield lateness.metric("billclock_start_lateness_seconds", "From planned moment to start")
        yield durations.metric("billclock_run_duration_seconds", "From start to end")

    def _runs(self) -> QuerySet[Run]:
        """Give what began or ended in this hour; the index on starts bounds the look back."""
        hour = Q(started__gte=self.since) | Q(finished__gte=self.since)
        return Run.objects.filter(hour, started__gte=self.since - LOOK_BACK).order_by()

    def _without_start(self) -> dict[str, int]:
        """Count moments that were skipped or missed: nothing was started for them."""
        passed = Slot.objects.filter(
            planned__gte=self.since, outcome__in=(Outcome.SKIPPED, Outcome.MISSED)
        )
        return dict(passed.order_by().values_list("outcome").annotate(Count("id")))

    def _of_jobs(self) -> Iterator[Metric]:
        labels = ["table", "entry", "job"]
        running = GaugeMetricFamily("billclock_running", "Runs that go on", labels=labels)
        success = GaugeMetricFamily(
            "billclock_last_success_timestamp_seconds", "End of the last success", labels=labels
        )
        names = {
            # never the command: whoever may read the metrics may not read what it holds
            key: [table, str(key), description.partition("\n")[0]]
            for key, table, description in Entry.objects.filter(gone_at=None).values_list(
                "id", "table", "description"
            )
        }
        of_entry = Run.objects.order_by().values_list("entry")
        for entry, count in of_entry.filter(outcome="", started__isnull=False).annotate(
            Count("id")
        ):
            if entry in names:
                running.add_metric(names[entry], count)
        for entry, at in of_entry.filter(outcome=Outcome.SUCCEEDED).annotate(Max("finished")):
            if entry in names and at:
                success.add_metric(names[entry], at.timestamp())
        yield running
        yield success


def _unsigned() -> Metric:
    gauge = GaugeMetricFamily(
        "billclock_unsigned_notices",
        "Payment notices that no gateway signed, yesterday and today",
        labels=["method"],
    )
    for one in unsigned.lately():
        gauge.add_metric([one.method.code], one.count)
    return gauge


class Buckets:
    """Counts values into a histogram's buckets."""

    def __init__(self, bounds: Sequence[float]) -> None:
        """Begin empty; `bounds` are upper ones, the last bucket has none."""
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def add(self, value: float) -> None:
        """Count one value; a clock that was set back gives none below 0."""
        value = max(value, 0.0)
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def metric(self, name: str, meaning: str) -> HistogramMetricFamily:
        """Give what Prometheus wants: cumulated counts by upper bound."""
        total, buckets = 0, []
        for bound, count in zip([*map(str, self._bounds), "+Inf"], self._counts, strict=True):
            total += count
            buckets.append((bound, total))
        return HistogramMetricFamily(name, meaning, buckets=buckets, sum_value=self._sum)


def _counters(starts: Counter[str], outcomes: Counter[str], since: datetime) -> Iterator[Metric]:
    created = since.timestamp()
    started = CounterMetricFamily("billclock_starts", "Runs started", labels=["trigger"])
    for trigger, count in starts.items():
        started.add_metric([trigger], count, created=created)
    ended = CounterMetricFamily("billclock_outcomes", "Ends by outcome", labels=["outcome"])
    for outcome in Outcome.values:
        ended.add_metric([outcome], outcomes[outcome], created=created)
    yield started
    yield ended
