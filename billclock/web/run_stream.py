"""A run's output while it is printed: as server-sent events, or asked for piece by piece."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

from asgiref.sync import sync_to_async
from django.db import close_old_connections
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.views.decorators.http import require_safe

from billclock import clock
from billclock.scheduler import output, samples
from billclock.scheduler.models import Run
from billclock.web.access import signed_in
from billclock.web.run_found import one
from billclock.web.run_output import Line, Place, Reading
from billclock.web.run_times import Times
from billclock.web.times import Wall

LOOK_EVERY = 0.4  # seconds
SIGN_EVERY = 15.0  # seconds after which a silent stream says that it is there
LASTS = 300.0  # seconds; then the browser asks again, and its right to read is looked at again
AT_ONCE = 500  # lines of one event


@require_safe
def stream(request: HttpRequest, run: int) -> StreamingHttpResponse:
    """Send lines as they are printed, from the place in Last-Event-ID or `?from=`, to the end.

    An event `lines` carries lines and has as id the place behind them; `end` tells that the run
    is over and everything was sent, `again` that there is more for who asks again.
    """
    found = one(signed_in(request), run)
    place = request.headers.get("Last-Event-ID") or request.GET.get("from", "")
    events = _events(Reading(run, Place.read(place)), Times(found, Wall.here()))
    answer = StreamingHttpResponse(events, content_type="text/event-stream")
    answer["Cache-Control"] = "no-store"
    answer["X-Accel-Buffering"] = "no"  # nginx would keep the events back
    close_old_connections()
    return answer


@require_safe
def lines(request: HttpRequest, run: int) -> HttpResponse:
    """Give the lines there are from the place `?from=` on, and the place behind them, as JSON."""
    found = one(signed_in(request), run)
    reading = Reading(run, Place.read(request.GET.get("from", "")))
    given = list(_batches(reading, Times(found, Wall.here())))
    values = {
        "lines": [line for batch, _ in given for line in batch],
        "place": str(reading.place),
        "over": bool(found.outcome),
    }
    return JsonResponse(values, headers={"Cache-Control": "no-store"})


async def _events(reading: Reading, times: Times) -> AsyncIterator[bytes]:
    """Write events until the run is over; files are read here, for they lie in memory."""
    begun = said = time.monotonic()
    sent = ""
    yield b"retry: 2000\n\n"
    while time.monotonic() - begun < LASTS:
        over = await sync_to_async(_is_over)(reading.run)  # before the last look, not after
        for batch, place in _batches(reading, times):
            event = json.dumps(batch, ensure_ascii=False)
            if event != sent:
                yield f"id: {place}\nevent: lines\ndata: {event}\n\n".encode()
                sent, said = event, time.monotonic()
            await asyncio.sleep(0)
        if over:
            yield f"id: {reading.place}\nevent: end\ndata: \n\n".encode()
            return
        times.seen_at = clock.now()  # what comes from now on was not there at the last look
        if time.monotonic() - said > SIGN_EVERY:
            yield b": still here\n\n"
            said = time.monotonic()
        await asyncio.sleep(LOOK_EVERY)
    yield b"event: again\ndata: \n\n"


def _is_over(run: int) -> bool:
    """Tell whether a run has ended or is gone, and leave no connection to the database open."""
    try:
        return not Run.objects.filter(pk=run, outcome="").exists()
    finally:
        close_old_connections()


def _batches(reading: Reading, times: Times) -> Iterator[tuple[list[dict[str, Any]], Place]]:
    """Give the lines there are, some at a time, with the place behind each lot."""
    batch: list[dict[str, Any]] = []
    times.samples = samples.read(output.path(reading.run))
    for line in reading.lines():
        batch.append(_values(line, times))
        if len(batch) == AT_ONCE:
            yield batch, reading.place
            batch = []
    if batch:
        yield batch, reading.place


def _values(line: Line, times: Times) -> dict[str, Any]:
    at, since = times.of(line)
    values = {"n": line.number, "p": line.pieces, "clock": at, "since": since}
    if line.left_out:
        values["gap"] = line.left_out
    return values
