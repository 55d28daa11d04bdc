"""What the JSON API takes and gives: the functions' texts with their types."""

from datetime import date, datetime
from typing import Annotated, Any

from ninja import Field, Schema
from pydantic import BeforeValidator

from billclock.api.parameters import MOST
from billclock.cron.findings import storable


def _none_if_empty(value: Any) -> Any:
    return None if value == "" else value


def _readable(value: Any) -> Any:
    """Replace what no UTF-8 can hold: bytes of a crontab that are no text."""
    return storable(value) if isinstance(value, str) else value


Empty = BeforeValidator(_none_if_empty)
Text = Annotated[str, BeforeValidator(_readable)]
Number = Annotated[int, Field(ge=0, le=MOST)]
Count = Annotated[int | None, Empty]
Figure = Annotated[float | None, Empty]
Moment = Annotated[datetime | None, Empty]
SEEN = "names a text: given back as `seen`, an edit is refused if the table has changed since"
Digest = Annotated[str, Field(description=SEEN)]


class Problem(Schema):
    """An error: what kind, about which parameter or object, its value, and what to do."""

    type: str
    object: str
    value: str
    message: str


class ErrorOut(Schema):
    """The answer to a call that failed."""

    error: Problem


class TableOut(Schema):
    """A crontab; `problem` says why it can't be read, `system` that it is only read."""

    name: str
    system: bool
    problem: str
    read: Moment


class EntryOut(Schema):
    """An entry of a crontab; `hideout` says that its report is not mailed."""

    key: int
    command: Text
    description: Text
    expression: str
    interval: str
    schedule_type: str
    active: bool = Field(alias="state")
    hideout: bool
    next: Moment
    last: str


class EntriesOut(Schema):
    """The entries of a table, and the digest of the text they stand in."""

    table: str
    seen: Digest
    entries: list[EntryOut]


class EntryIn(Schema):
    """A new entry; what is left out is as usual: active, reported."""

    table: str = "root"
    expression: str = Field(examples=["30 4 * * 1-5"])
    command: str = Field(min_length=1)
    description: str = ""
    active: bool = True
    hideout: bool = False
    directives: str = Field("", examples=["timeout=15m nice=10"])
    seen: str | None = None


class EntryChange(Schema):
    """What to change of an entry; what is left out stays as it is."""

    expression: str | None = None
    command: str | None = None
    description: str | None = None
    active: bool | None = None
    hideout: bool | None = None
    directives: str | None = None
    seen: str | None = None


class SavedOut(Schema):
    """Where an entry was saved."""

    key: int = Field(alias="elid")
    table: str
    seen: Digest


class StartedOut(Schema):
    """The run that was started."""

    run: int


class SettingsOut(Schema):
    """What holds for all entries of a table: Email, and Path with blanks."""

    mailto: Text
    path: Text


class SettingsChange(Schema):
    """What to change of a table's settings."""

    mailto: str | None = None
    path: str | None = None


class RunOut(Schema):
    """A run: CPU in seconds, memory in KiB, output in bytes."""

    key: int
    entry: int
    table: str
    command: Text
    description: Text
    outcome: str
    reason: Text
    trigger: str
    attempt: int
    who: str
    planned: Moment
    started: Moment
    finished: Moment
    exit_code: Count
    signal: Count
    cpu: Figure
    memory: Count
    output_size: int
    pid: Count
    host: str
    user: str


class OutputOut(Schema):
    """A piece of output: read on from `next` while there is text or the run goes on."""

    offset: int
    next: int
    left_out: int
    going_on: bool
    text: str


class NextOut(Schema):
    """An expression in words, and its next moments by its zone's clock."""

    expression: str
    words: str
    zone: str
    next: list[datetime]


class CheckIn(Schema):
    """A text to check; `system` says that it has a user column."""

    text: str
    system: bool = False


class FindingOut(Schema):
    """A remark on a line: `fix` is the whole line as it should be."""

    level: str
    code: str
    line: int
    column: int
    message: Text
    fix: Annotated[str | None, BeforeValidator(_readable), Empty]


class PauseOut(Schema):
    """A pause of an entry, of a tag, or of all jobs where there is neither."""

    key: int
    entry: Count
    tag: str
    since: datetime
    until: Moment
    who: str


class PauseIn(Schema):
    """What to pause: an entry, a tag, or all jobs; without `until` it goes on until it is ended."""

    entry: Number | None = None
    tag: str = ""
    until: datetime | None = None


class VersionOut(Schema):
    """What a table once was: who wrote it and when."""

    number: int
    table: str
    at: datetime
    author: str
    note: str
    digest: str


class VersionText(VersionOut):
    """A version with its text and what it changed."""

    text: str
    difference: str


class TableNow(Schema):
    """A table and the digest of its text now."""

    table: str
    seen: Digest


class CurrencyOut(Schema):
    """A currency by ISO 4217, with its number in the panel's list."""

    code: str = Field(alias="key")
    number: int
    exponent: int
    panel_id: Count
    symbol: str
    active: bool


class RateOut(Schema):
    """What one unit costs from a day on; decimals come as text, exact."""

    key: int
    pair: str
    on: date = Field(alias="date")
    value: str
    quoted: str
    formula: str
    source: str
    manual: bool


class RateIn(Schema):
    """A rate entered by hand; without a date it holds from today."""

    pair: str = Field(examples=["USD/EUR"])
    value: str = Field(examples=["0.9231"])
    on: date | None = None
