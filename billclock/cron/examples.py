"""Lines of a document that speak of schedules or commands and are no crontab lines themselves."""

import re
from typing import NamedTuple

from .errors import CronError
from .expression import Expression
from .lint_schedule import every_minute

_BULLET = re.compile(
    rb"[ \t]*(?:(?:\xe2\x80[\x93\x94\xa2\xa3]|\xe2\x97[\x8f\xa6]|[-+>]|[0-9]+[.)])[ \t]+)?(`?)"
)
_FIELD = rb"[0-9A-Za-z*,/?#-]+"
_EXAMPLE = re.compile(
    rb"[ \t]*(?:(?:\xe2\x80\xa2|\xe2\x97[\x8f\xa6]|[-+])[ \t]*)?(`?)"
    rb"([0-9*][0-9*,/-]*(?:[ \t]+%s){4}|@[a-z]+)\1[ \t]+(?:\xe2\x80[\x92-\x95]|--?|=)[ \t]+\S.*"
    % _FIELD,
    re.DOTALL,
)
_PLAIN_FIELD = re.compile(rb"[0-9*][0-9*,/-]*")
_LEAST_PLAIN_FIELDS = 3
_COMMAND = re.compile(rb"[ \t]*(?:/[A-Za-z0-9_.+-]+){2,}(?:[ \t].*)?", re.DOTALL)


class Example(NamedTuple):
    """A schedule with words behind it: what it means or why it is wrong; a better one or None."""

    reason: str
    fix: str | None


def explained(raw: bytes) -> Example | None:
    """Explain a line such as `0 5 * * * — at five`, or give None for any other."""
    found = _EXAMPLE.fullmatch(raw)
    if found is None:
        return None
    words = found[2].split()
    plain = sum(bool(_PLAIN_FIELD.fullmatch(word)) for word in words)
    if plain < _LEAST_PLAIN_FIELDS and not found[2].startswith(b"@"):
        return None
    try:
        expression = Expression.parse(found[2].decode("ascii"))
    except CronError as error:
        return _wrong(error.at(offset=found.start(2)))
    return Example(f"an example, no entry: {expression.text} means: {expression.describe()}", None)


def command_alone(raw: bytes) -> bool:
    """Tell whether a line is a command by its path, with no schedule before it."""
    return _COMMAND.fullmatch(raw) is not None


def unlisted(raw: bytes) -> bytes:
    """Give a line without the bullet or number of a list, and without backticks around it."""
    found = _BULLET.match(raw)
    if found is None or not found[0].strip():
        return raw
    rest = raw[found.end() :]
    return rest.rstrip().removesuffix(b"`") if found[1] else rest


def _wrong(error: CronError) -> Example:
    """Explain a schedule that is refused; what it says else is looked at as if it were mended."""
    reason = f"a wrong example, no entry: {error}"
    if error.suggestion is None:
        return Example(reason, None)
    further = every_minute(Expression.parse(error.suggestion))
    if further is None:
        return Example(reason, error.suggestion)
    return Example(f"{reason}; {further.message}", further.fix)
