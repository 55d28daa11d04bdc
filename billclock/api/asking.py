"""What every operation of the JSON API is made of: one call of a function, typed both ways."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query

from billclock.api import calls
from billclock.api.callers import Caller
from billclock.api.documents import Document, Fault
from billclock.api.parameters import MOST
from billclock.api.places import A_PAGE, MAIN
from billclock.api.schemas import ErrorOut

ERRORS = frozenset({400, 401, 403, 404, 409, 413, 422, 429, 500, 503})
WRONG: Mapping[frozenset[int], type[ErrorOut]] = {ERRORS: ErrorOut}

Limit = Annotated[int, Query(ge=1, le=A_PAGE, description="how many at most")]
Table = Annotated[str, Query(description=f"whose table, such as {MAIN}")]
Before = Annotated[
    int | None, Query(ge=0, le=MOST, description="those below this: the last of the page before")
]


class CallError(Exception):
    """A function answered with an error."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


def ask(request: HttpRequest, name: str, **params: Any) -> Document:
    """Call a function as who sent the request; parameters that are None are left out.

    Raise CallError for what it answers with an error.
    """
    caller: Caller = request.auth  # type: ignore[attr-defined]
    texts = {key: _text(value) for key, value in params.items() if value is not None}
    document = calls.perform(request, caller, name, texts)
    if document.fault is not None:
        raise CallError(document.fault)
    return document


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, date):
        return value.isoformat()
    return str(value)
