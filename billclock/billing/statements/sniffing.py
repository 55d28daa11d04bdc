"""How a bank wrote its file: encoding, decimal sign and form of dates, told from all it holds."""

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime

from billclock.billing import money
from billclock.billing.errors import StatementError

DATES = (
    "%Y-%m-%d", "%d.%m.%Y", "%d.%m.%y", "%d/%m/%Y", "%m/%d/%Y", "%d/%m/%y", "%m/%d/%y",
    "%d-%m-%Y", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d",
)  # fmt: skip
MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))

_CYRILLIC_WORD = re.compile(rb"[\xa8\xb8\xc0-\xff]{4}")  # four letters in a row, none of them ASCII
_NUMBER = re.compile(r"[+-]?(\d[\d.,'\u2019]*)")
_TIME = re.compile(r"[T ]\d{1,2}:\d\d(:\d\d)?.*$")


def decoded(data: bytes, encoding: str = "") -> str:
    """Give the text of a file: by its mark, as UTF-8, else as Windows writes it in east or west."""
    try:
        if encoding:
            return data.decode(encoding)
        for mark, name in MARKS:
            if data.startswith(mark):
                return data.decode(name)
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            return data.decode("cp1251" if _CYRILLIC_WORD.search(data) else "cp1252")
    except (UnicodeDecodeError, LookupError) as error:
        raise StatementError(
            "", f"its letters cannot be read: {error}", "say the encoding"
        ) from None


def decimal_sign(amounts: Iterable[str], currency: str) -> str:
    """Give `,` or `.`: the decimal sign of all these amounts; raise StatementError for doubt.

    Of two different signs the last is it; a single one is, unless three digits follow it. Where
    only such are found, a currency with other than three decimals takes them for thousands.
    """
    certain: set[str] = set()
    doubtful: set[str] = set()
    for text in amounts:
        found = _NUMBER.fullmatch(text)
        signs = [sign for sign in found[1] if sign in ",."] if found else []
        if len(set(signs)) > 1:
            certain.add(signs[-1])
        elif len(signs) > 1:
            certain.add("," if signs[0] == "." else ".")
        elif signs and found:
            after = len(found[1].rpartition(signs[0])[2])
            (doubtful if after == 3 else certain).add(signs[0])  # noqa: PLR2004 - thousands
    if len(certain) > 1 or (not certain and len(doubtful) > 1):
        raise StatementError("", "amounts with both signs as decimal sign", "say which it is")
    if certain:
        return certain.pop()
    if not doubtful:
        return "."
    sign = doubtful.pop()
    if money.exponent(currency) == 3:  # noqa: PLR2004 - then it may be either
        raise StatementError("", f"thousands or decimals: {sign}", "say the decimal sign")
    return "," if sign == "." else "."


def date_form(texts: Sequence[str]) -> str:
    """Give the one form (of strptime) in which all are that are dates; raise StatementError."""
    days = [_TIME.sub("", text.strip()) for text in texts]
    days = [day for day in days if any(_read(day, form) for form in DATES)]
    if not days:
        wrong = f"such as {texts[0][:30]!r}" if texts else "as there is none"
        raise StatementError("", f"no date in a form that is known, {wrong}")
    forms = {}
    for form in DATES:
        read = [_read(day, form) for day in days]
        if None not in read:
            forms[form] = tuple(read)
    if not forms:
        raise StatementError("", f"dates in several forms, such as {days[0]!r}", "say the form")
    if len(set(forms.values())) > 1:
        raise StatementError(
            "", f"dates such as {days[0]!r} may be {' or '.join(forms)}", "say the form of dates"
        )
    return next(iter(forms))


def as_date(text: str, form: str) -> date | None:
    """Read a date, whose time of day is of no concern; None where it is none."""
    return _read(_TIME.sub("", text.strip()), form)


def _read(text: str, form: str) -> date | None:
    try:
        return datetime.strptime(text, form).date()  # noqa: DTZ007 - a plain date
    except ValueError:
        return None
