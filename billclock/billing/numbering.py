"""Numbers of documents: a company's template, read with care, and what it makes of a number.

A template is text with fields in braces, such as INV-{year}-{number:06}. It must hold {number}
once. Every other field has a fixed width, so that two numbers of a sequence never look alike; a
template with a year begins again at 1 each year, since each year's numbers are told apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from billclock.billing.documents.paper import Kind
from billclock.billing.errors import DocumentError, NumberTemplateError

LONGEST = 60
"""Characters that a template, and the number it makes, may have: the books' column."""

MARKS: Mapping[Kind, str] = {
    Kind.INVOICE: "INV",
    Kind.REQUEST: "REQ",
    Kind.CREDIT_NOTE: "CN",
    Kind.CLOSING: "ACT",
}
"""What {kind} stands for; no mark is the beginning of another."""

_MOST_DIGITS = 18
_ROOM = 9  # digits that a sequence may come to, however few the template asks for
_YEARS = frozenset({"year", "yy"})
_FIELDS = ("number", "year", "yy", "month", "kind")
_PART = re.compile(r"\{([^{}]*)\}|([^{}]+)|([{}])")
_LITERAL = re.compile(r"[\w \-./#№()]*")
_WIDTH = re.compile(r"0?([1-9][0-9]?)")


@dataclass(frozen=True, slots=True)
class NumberTemplate:
    """A template that was read; `parts` are its texts and fields in order."""

    text: str
    parts: tuple[tuple[str, str], ...]
    width: int

    @classmethod
    def parse(cls, text: str) -> NumberTemplate:
        """Read a template; raise NumberTemplateError, which says where and what to write."""
        if not text.strip() or text != text.strip():
            raise NumberTemplateError(
                text,
                "is empty" if not text.strip() else "begins or ends with a space",
                1,
                "write such as INV-{year}-{number:06}",
            )
        if len(text) > LONGEST:
            raise NumberTemplateError(
                text, f"has {len(text)} characters", LONGEST + 1, f"use at most {LONGEST}"
            )
        read = list(_read(text))
        widths = [width for name, _, width in read if name == "number"]
        if len(widths) != 1:
            what = "has no {number}" if not widths else "has {number} twice"
            raise NumberTemplateError(text, what, len(text), "write {number} or {number:06} once")
        template = cls(text, tuple((name, literal) for name, literal, _ in read), widths[0])
        template._check_length()
        return template

    @property
    def yearly(self) -> bool:
        """Say whether the sequence begins again with a year."""
        return any(name in _YEARS for name, _ in self.parts)

    def sequence_year(self, on: date) -> int:
        """Give the year of the sequence that a document of a day draws from; 0: it goes on."""
        return on.year if self.yearly else 0

    def format(self, number: int, on: date, kind: Kind) -> str:
        """Give the number of a document: its place in the sequence (from 1) made text.

        A number wider than the template asks is written whole. Raises DocumentError where it is
        below 1 or the text would be longer than the books keep.
        """
        if number < 1:
            raise DocumentError(kind, str(number), "numbers count from 1")
        made = self._made(number, on, kind)
        if len(made) > LONGEST:
            raise DocumentError(
                kind, made, f"the number has {len(made)} characters", f"shorten {self.text!r}"
            )
        return made

    def _made(self, number: int, on: date, kind: Kind) -> str:
        values = {
            "number": f"{number:0{self.width}d}",
            "year": f"{on.year:04d}",
            "yy": f"{on.year % 100:02d}",
            "month": f"{on.month:02d}",
            "kind": MARKS[kind],
        }
        return "".join(values.get(name, literal) for name, literal in self.parts)

    def _check_length(self) -> None:
        """Refuse a template that would one day make a number too long for the books."""
        number = 10 ** (max(self.width, _ROOM) - 1)
        longest = max(len(self._made(number, date.max, kind)) for kind in Kind)
        if longest > LONGEST:
            raise NumberTemplateError(
                self.text,
                f"makes numbers of {longest} characters",
                len(self.text),
                f"stay within {LONGEST}",
            )


def _read(text: str) -> Iterator[tuple[str, str, int]]:
    """Give a template's parts: the field's name or '', the literal text or '', the width or 1."""
    for part in _PART.finditer(text):
        field, literal, brace = part.groups()
        column = part.start() + 1
        if brace:
            raise NumberTemplateError(text, f"{brace} stands alone", column, "write {number}")
        if literal:
            _check_literal(text, literal, column)
            yield "", literal, 1
            continue
        name, colon, form = field.partition(":")
        if name not in _FIELDS:
            known = ", ".join(f"{{{known}}}" for known in _FIELDS)
            raise NumberTemplateError(text, f"{{{field}}} is no field", column, f"use {known}")
        yield name, "", _width(text, name, form, column) if colon else 1


def _check_literal(text: str, literal: str, column: int) -> None:
    """Refuse what would be trouble in file names, bank references and machine data."""
    good = _LITERAL.match(literal)
    fine = good.end() if good else 0
    if fine < len(literal):
        raise NumberTemplateError(
            text,
            f"{literal[fine]!r} may not stand in a number",
            column + fine,
            "use letters, digits, spaces and - . / # № ( ) _",
        )


def _width(text: str, name: str, form: str, column: int) -> int:
    found = _WIDTH.fullmatch(form)
    if name != "number" or not found or int(found[1]) > _MOST_DIGITS:
        mend = f"write {{{name}}}" if name != "number" else "write {number:06} for six digits"
        raise NumberTemplateError(text, f"{form!r} is no width for {{{name}}}", column, mend)
    return int(found[1])
