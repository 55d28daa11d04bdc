"""Tables over the JSON API: the list, their settings, the lint, versions and the way back."""

from collections.abc import Sequence
from typing import Annotated

from django.http import HttpRequest
from ninja import Path, Router

from billclock.api import schemas
from billclock.api.asking import WRONG, Before, Limit, Table, ask
from billclock.api.documents import Row
from billclock.api.parameters import MOST
from billclock.api.places import MAIN

router = Router(tags=["Tables"])

Number = Annotated[int, Path(ge=0, le=MOST, description="a version's number")]


@router.get("tables", response={200: list[schemas.TableOut], **WRONG}, summary="List tables")
def tables(request: HttpRequest) -> Sequence[Row]:
    """List the crontabs open to you."""
    return ask(request, "tables").rows


@router.get("settings", response={200: schemas.SettingsOut, **WRONG}, summary="Get settings")
def settings(request: HttpRequest, table: Table = MAIN) -> Row:
    """Get a table's Email and Path."""
    return ask(request, "scheduler.prop", table=table).values


@router.patch("settings", response={200: schemas.SettingsOut, **WRONG}, summary="Change settings")
def change_settings(
    request: HttpRequest, given: schemas.SettingsChange, table: Table = MAIN
) -> Row:
    """Change a table's Email and Path; what is left out stays."""
    ask(request, "scheduler.prop", table=table, sok="ok", **given.dict())
    return ask(request, "scheduler.prop", table=table).values


@router.get("check", response={200: list[schemas.FindingOut], **WRONG}, summary="Check a table")
def check_table(request: HttpRequest, table: Table = MAIN) -> Sequence[Row]:
    """List what there is to say about a table."""
    return ask(request, "scheduler.check", table=table).rows


@router.post("check", response={200: list[schemas.FindingOut], **WRONG}, summary="Check a text")
def check_text(request: HttpRequest, given: schemas.CheckIn) -> Sequence[Row]:
    """List what there is to say about a text; it is kept nowhere."""
    return ask(request, "scheduler.check", text=given.text, system=given.system).rows


@router.get("versions", response={200: list[schemas.VersionOut], **WRONG}, summary="List versions")
def versions(
    request: HttpRequest, table: Table = MAIN, before: Before = None, limit: Limit = 50
) -> Sequence[Row]:
    """List what a table once was, the newest first."""
    return ask(request, "versions", table=table, before=before, limit=limit).rows


@router.get(
    "versions/{number}", response={200: schemas.VersionText, **WRONG}, summary="Get a version"
)
def version(request: HttpRequest, number: Number, table: Table = MAIN) -> Row:
    """Get a version's text and what it changed."""
    return ask(request, "versions.show", number=number, table=table).values


@router.post(
    "versions/{number}/restore", response={200: schemas.TableNow, **WRONG}, summary="Restore"
)
def restore(request: HttpRequest, number: Number, table: Table = MAIN) -> Row:
    """Make a table what it was, byte for byte."""
    return ask(request, "versions.restore", number=number, table=table).values


@router.post("versions/{number}/undo", response={200: schemas.TableNow, **WRONG}, summary="Undo")
def undo(request: HttpRequest, number: Number, table: Table = MAIN) -> Row:
    """Take back what a version changed, and keep what later ones changed elsewhere."""
    return ask(request, "versions.undo", number=number, table=table).values
