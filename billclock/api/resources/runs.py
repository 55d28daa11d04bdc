"""Runs and pauses over the JSON API: list, get, read the output, stop; pause and resume."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from django.http import HttpRequest
from ninja import Path, Query, Router, Schema, Status

from billclock.api import schemas
from billclock.api.asking import WRONG, Before, Limit, ask
from billclock.api.documents import Row
from billclock.api.parameters import MOST
from billclock.api.schemas import Number

router = Router(tags=["Runs"])

Key = Annotated[int, Path(ge=0, le=MOST, description="a run's number")]


class Filter(Schema):
    """Which runs: all that is given must be true of them."""

    entry: Number | None = None
    table: str | None = None
    outcome: str | None = None
    trigger: str | None = None
    who: str | None = None
    exit_code: Annotated[int | None, Query(ge=0, le=255)] = None
    since: datetime | None = None
    until: datetime | None = None


@router.get("runs", response={200: list[schemas.RunOut], **WRONG}, summary="List runs")
def runs(
    request: HttpRequest, given: Query[Filter], before: Before = None, limit: Limit = 50
) -> Sequence[Row]:
    """List runs, the newest first; go on with `before` the last of the page."""
    return ask(request, "runs", before=before, limit=limit, **given.dict()).rows


@router.get("runs/{key}", response={200: schemas.RunOut, **WRONG}, summary="Get a run")
def run(request: HttpRequest, key: Key) -> Row:
    """Get one run."""
    return ask(request, "runs.show", elid=key).values


@router.get("runs/{key}/output", response={200: schemas.OutputOut, **WRONG}, summary="Read output")
def output(request: HttpRequest, key: Key, offset: Annotated[int, Query(ge=0, le=MOST)] = 0) -> Row:
    """Read a piece of a run's output, up to 256 KiB, while it runs or after."""
    return ask(request, "runs.output", elid=key, offset=offset).values


@router.post("runs/{key}/stop", response={204: None, **WRONG}, summary="Stop a run")
def stop(request: HttpRequest, key: Key) -> Status[None]:
    """Have the daemon end a run: TERM, its grace, then KILL."""
    ask(request, "runs.stop", elid=key)
    return Status(204, None)


@router.get("pauses", response={200: list[schemas.PauseOut], **WRONG}, summary="List pauses")
def pauses(request: HttpRequest, over: bool = False, limit: Limit = 50) -> Sequence[Row]:
    """List pauses, the newest first; those that are over too, if asked for."""
    return ask(request, "pauses", over=over, limit=limit).rows


@router.post("pauses", response={204: None, **WRONG}, summary="Pause jobs")
def pause(request: HttpRequest, given: schemas.PauseIn) -> Status[None]:
    """Have the daemon start nothing of an entry, of a tag, or of all jobs."""
    ask(request, "pauses.begin", **given.dict())
    return Status(204, None)


@router.delete("pauses", response={204: None, **WRONG}, summary="End a pause")
def resume(
    request: HttpRequest,
    entry: Annotated[int | None, Query(ge=0, le=MOST)] = None,
    tag: str = "",
) -> Status[None]:
    """End the pause of an entry, of a tag, or of all jobs."""
    ask(request, "pauses.end", entry=entry, tag=tag)
    return Status(204, None)
