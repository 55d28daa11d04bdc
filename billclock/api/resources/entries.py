"""Entries over the JSON API: list, get, create, change, delete, switch, run; and the preview."""

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Path, Query, Router, Status

from billclock.api import schemas
from billclock.api.asking import WRONG, Table, ask
from billclock.api.documents import Row
from billclock.api.functions.preview import MOST as MOST_MOMENTS
from billclock.api.parameters import MOST
from billclock.api.places import MAIN

router = Router(tags=["Entries"])

Key = Annotated[int, Path(ge=0, le=MOST, description="an entry's key")]


@router.get("entries", response={200: schemas.EntriesOut, **WRONG}, summary="List entries")
def entries(request: HttpRequest, table: Table = MAIN) -> dict[str, Any]:
    """List a table's entries with their next and last runs."""
    document = ask(request, "scheduler", table=table)
    return {**document.values, "entries": document.rows}


@router.post("entries", response={201: schemas.SavedOut, **WRONG}, summary="Create an entry")
def create(request: HttpRequest, given: schemas.EntryIn) -> Status[Row]:
    """Put an entry at the end of a table."""
    return Status(201, ask(request, "scheduler.edit", sok="ok", **given.dict()).values)


@router.get("entries/{key}", response={200: schemas.EntryOut, **WRONG}, summary="Get an entry")
def entry(request: HttpRequest, key: Key) -> Row:
    """Get one entry with its next and last runs."""
    return ask(request, "scheduler", elid=key).rows[0]


@router.patch("entries/{key}", response={200: schemas.SavedOut, **WRONG}, summary="Change an entry")
def change(request: HttpRequest, given: schemas.EntryChange, key: Key) -> Row:
    """Change an entry, which keeps its key; what is left out stays as it is."""
    return ask(request, "scheduler.edit", sok="ok", elid=key, **given.dict()).values


@router.delete("entries/{key}", response={204: None, **WRONG}, summary="Delete an entry")
def delete(request: HttpRequest, key: Key) -> Status[None]:
    """Delete an entry with its description and its directives; a version keeps it."""
    ask(request, "scheduler.delete", elid=key)
    return Status(204, None)


@router.post("entries/{key}/enable", response={204: None, **WRONG}, summary="Enable an entry")
def enable(request: HttpRequest, key: Key) -> Status[None]:
    """Switch an entry on."""
    ask(request, "scheduler.resume", elid=key)
    return Status(204, None)


@router.post("entries/{key}/disable", response={204: None, **WRONG}, summary="Disable an entry")
def disable(request: HttpRequest, key: Key) -> Status[None]:
    """Switch an entry off; its line stays."""
    ask(request, "scheduler.suspend", elid=key)
    return Status(204, None)


@router.post("entries/{key}/run", response={202: schemas.StartedOut, **WRONG}, summary="Run now")
def run(request: HttpRequest, key: Key) -> Status[Row]:
    """Have the daemon start an entry now."""
    return Status(202, ask(request, "run", elid=key).values)


@router.get("next", response={200: schemas.NextOut, **WRONG}, summary="When an expression fires")
def upcoming(
    request: HttpRequest,
    expression: Annotated[str, Query(min_length=1, examples=["0 0 13 * fri"])],
    zone: Annotated[str, Query(examples=["Europe/Berlin"])] = "",
    since: datetime | None = None,
    count: Annotated[int, Query(ge=1, le=MOST_MOMENTS)] = 5,
) -> dict[str, Any]:
    """Say an expression in words, and when it fires next, by the engine that fires."""
    document = ask(
        request, "scheduler.next", expression=expression, zone=zone, since=since, count=count
    )
    return {**document.values, "next": [row["moment"] for row in document.rows]}
