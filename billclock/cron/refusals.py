"""Why a text is not an expression: what is wrong, in which column, and what was probably meant."""

from __future__ import annotations

import re
from collections.abc import Callable
from difflib import get_close_matches

from .errors import CronError
from .fields import FIELDS, MONTH, WEEKDAY, WORDS, longest
from .item_faults import item_fault

# One mend repairs one fault; a text that is longer or has more faults gets no suggestion.
_MENDS = 64
_LONGEST_MENDED = 1000
_FIELD_COUNT = len(FIELDS)
_DAY, _MONTH, _WEEKDAY = range(2, 5)
_DATES = (_DAY, _MONTH, _WEEKDAY)
_LEAP = 29

_QUOTES = "'\"`"
_PREFIX = re.compile(r"\s*(?:[&%!]\S*|(?P<zone>[A-Za-z_]\w*=\S*))\s*")
_ISO = re.compile(r"\s*[0-9]{4}(-)([0-9]{2})-([0-9]{2})(?:[T_]([0-9]{2}):([0-9]{2})\S*)?")
_SYSTEMD = re.compile(r"[A-Za-z]{3}\.\.[A-Za-z]{3}|\*-[0-9*]+-")
_DAYS = re.compile(r"\b([A-Za-z]{3})\.\.([A-Za-z]{3})\b")
_CLOCK_TIME = re.compile(r"\b([0-9]{1,2})(:)([0-9]{2})(?::[0-9]{2})?\b")
_SEPARATOR = re.compile(r"[_,;:|]")
_EVERY = re.compile(r"@every\s+([0-9]+)(m|h)")
_EVERY_UNIT = {"m": "*/{} * * * *", "h": "0 */{} * * *"}


def settled(error: CronError, read: Callable[[str], object]) -> CronError:
    """Return the error with a suggestion that `read` accepts, its draft mended as often as needed.

    Where the fault lies in one field, the hint is that field of the suggestion.
    """
    error.suggestion = _mended(error.suggestion, read)
    if error.suggestion and error.field and error.hint is None:
        names = [field.name for field in FIELDS]
        error.hint = error.suggestion.split()[names.index(error.field)]
    return error


def _mended(draft: str | None, read: Callable[[str], object]) -> str | None:
    for _ in range(_MENDS):
        if draft is None or len(draft) > _LONGEST_MENDED:
            return None
        try:
            read(draft)
        except CronError as further:
            draft = further.suggestion
        else:
            return draft
    return None


def explain(text: str) -> CronError:
    """Return the error of a text that is not an expression; its suggestion is only a draft yet."""
    for fault in (_invisible, _quoted, _foreign, _word, _one_piece, _miscounted, _field):
        error = fault(text)
        if error is not None:
            return error
    return _never(text)


def _invisible(text: str) -> CronError | None:
    visible = [char == "\t" or char.isprintable() for char in text]
    if all(visible):
        return None
    at = visible.index(False)
    names = {
        "\0": "a NUL byte",
        "\n": "a line break",
        "\r": "a carriage return",
        "\N{NO-BREAK SPACE}": "a no-break space",
        "\N{ZERO WIDTH NO-BREAK SPACE}": "a byte order mark",
    }
    name = names.get(text[at], f"the invisible character U+{ord(text[at]):04X}")
    blank = {False: "", True: " "}
    mended = (c if seen else blank[c.isspace()] for c, seen in zip(text, visible, strict=True))
    return CronError(
        f"{name} is not allowed; blanks and tabs part the fields",
        column=at + 1,
        suggestion="".join(mended),
    )


def _quoted(text: str) -> CronError | None:
    bare = text.lstrip()
    if not bare or bare[0] not in _QUOTES:
        return None
    return CronError(
        "quotes do not belong around an expression",
        column=len(text) - len(bare) + 1,
        suggestion=text.translate({ord(quote): None for quote in _QUOTES}),
    )


def _foreign(text: str) -> CronError | None:
    """Return the error of another program's spelling, as far as it is known."""
    prefix = _PREFIX.match(text)
    if prefix:
        what = (
            "an assignment stands on a line of its own"
            if prefix["zone"]
            else ("fcron's options are not crontab")
        )
        return CronError(what, column=_first(text), suggestion=text[prefix.end() :])
    iso = _ISO.match(text)
    if iso:
        minute, hour, day, month = (int(part or 0) for part in iso.group(5, 4, 3, 2))
        return CronError(
            "a date is not an expression; a crontab repeats",
            column=iso.start(1) + 1,
            suggestion=f"{minute} {hour} {day} {month} *",
        )
    time = _CLOCK_TIME.search(text)
    if _SYSTEMD.search(text):
        days = _DAYS.search(text)
        weekday = f"{days[1]}-{days[2]}" if days else "*"
        clock = f"{int(time[3])} {int(time[1])}" if time else "0 0"
        return CronError(
            "this is a systemd calendar, not a crontab expression",
            column=_first(text),
            suggestion=f"{clock} * * {weekday}",
        )
    if time and len(text.split()) < _FIELD_COUNT:
        rest = (text[: time.start()] + text[time.end() :]).split()
        return CronError(
            "a time of day is written as two fields, minute and hour",
            column=time.start(2) + 1,
            suggestion=" ".join([time[3], time[1], *rest, "*", "*", "*"][:_FIELD_COUNT]),
        )
    return None


def _word(text: str) -> CronError | None:
    bare = text.strip()
    if not bare.startswith("@"):
        return None
    word = bare.split()[0]
    if word in WORDS:
        at = text.index(word) + len(word)
        return CronError(
            f"nothing may follow {word}",
            column=at + len(text[at:]) - len(text[at:].lstrip()) + 1,
            suggestion=word,
        )
    every = _EVERY.match(bare)
    close = [word.lower()] if word.lower() in WORDS else get_close_matches(word, WORDS, 1)
    draft = _EVERY_UNIT[every[2]].format(every[1]) if every else (close or ["@daily"])[0]
    return CronError(
        f"{word} is not one of {', '.join(WORDS)}", column=_first(text), suggestion=draft
    )


def _one_piece(text: str) -> CronError | None:
    parts = text.split()
    if len(parts) != 1:
        return None
    separator = _SEPARATOR.search(text)
    spaced = _SEPARATOR.sub(" ", text)
    if separator is None or len(spaced.split()) != _FIELD_COUNT:
        return None
    return CronError(
        f"{separator[0]!r} does not part fields; blanks do",
        column=separator.start() + 1,
        suggestion=spaced,
    )


def _miscounted(text: str) -> CronError | None:
    parts = text.split()
    if len(parts) == _FIELD_COUNT:
        return None
    if len(parts) < _FIELD_COUNT:
        draft = [*parts, "*", "*", "*", "*"][:_FIELD_COUNT] if parts else ["@daily"]
        return CronError(
            f"5 time fields are needed, not {len(parts)}",
            column=len(text.rstrip()) + 1,
            suggestion=" ".join(draft),
        )
    # Quartz, Spring and others put seconds first; what ends in no weekday has a year or a command.
    seconds = "?" in parts or WEEKDAY.values(parts[-1])
    return CronError(
        f"{len(parts)} fields; a crontab has 5, without seconds and years",
        column=_places(text)[_FIELD_COUNT] + 1,
        suggestion=" ".join(parts[1:6] if seconds else parts[:5]),
    )


def _field(text: str) -> CronError | None:
    parts = text.split()
    for i, (field, part) in enumerate(zip(FIELDS, parts, strict=True)):
        if not field.values(part):
            return _misplaced(text, i) or _bad_item(text, i)
    return None


def _misplaced(text: str, i: int) -> CronError | None:
    """Return the error of a month's name among weekdays and the like, if that place is free."""
    parts = text.split()
    for j in (_MONTH, _WEEKDAY):
        if i in _DATES and parts[i].isalpha() and parts[j] == "*" and FIELDS[j].values(parts[i]):
            parts[i], parts[j] = parts[j], parts[i]
            return CronError(
                f"{parts[j]} belongs into the field {FIELDS[j].name}",
                column=_places(text)[i] + 1,
                field=FIELDS[i].name,
                suggestion=" ".join(parts),
                hint=" ".join(parts),
            )
    return None


def _bad_item(text: str, i: int) -> CronError:
    parts, field = text.split(), FIELDS[i]
    items = parts[i].split(",")
    bad = next(j for j, item in enumerate(items) if not field.item(item))
    fault = item_fault(field, items[bad])
    column = _places(text)[i] + sum(len(item) + 1 for item in items[:bad]) + fault.offset + 1
    items[bad] = fault.mend
    parts[i] = ",".join(filter(None, items)) or ("*" if i in _DATES else "0")
    return CronError(fault.reason, column=column, field=field.name, suggestion=" ".join(parts))


def _never(text: str) -> CronError:
    """Return the error of five good fields whose days are in none of the months."""
    parts = text.split()
    months = MONTH.values(parts[_MONTH])
    last = 28 if longest(months) == _LEAP else longest(months)
    return CronError(
        f"no such month has a day {parts[_DAY]}, so it would never run",
        column=_places(text)[_DAY] + 1,
        field=FIELDS[_DAY].name,
        suggestion=" ".join([*parts[:_DAY], str(last), *parts[_MONTH:]]),
    )


def _first(text: str) -> int:
    return len(text) - len(text.lstrip()) + 1


def _places(text: str) -> list[int]:
    return [match.start() for match in re.finditer(r"\S+", text)]
