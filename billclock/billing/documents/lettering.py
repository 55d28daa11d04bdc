"""Text that the fonts can print: what would break the page or its order of reading is taken out.

PDF/A forbids a character without a glyph (ISO 19005-3, 6.2.11.8), so one that no font has is shown
as a box; the attached data keep it. Marks that turn the direction of reading could make a figure
read backwards, and marks in a heap would be drawn over the lines above.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

BOX = "\N{WHITE SQUARE}"

_BLANK = re.compile(r"[^\S \u00a0\u202f]+")
_JOINERS = "\u200c\u200d"  # scripts whose letters join need them
_BREAK = "\N{ZERO WIDTH SPACE}"
_BREAKS_AFTER = "./@:_-"
_LONG_WORD, _PIECE = 20, 10
_MOST_MARKS = 3


def lettered(value: Any, fonts: Sequence[frozenset[int]]) -> Any:
    """Give the same value with every text in its lists and dicts made printable by the fonts."""
    if isinstance(value, str):
        return printable(value, fonts)
    if isinstance(value, list):
        return [lettered(item, fonts) for item in value]
    if isinstance(value, dict):
        return {key: lettered(item, fonts) for key, item in value.items()}
    return value


def printable(text: str, fonts: Sequence[frozenset[int]]) -> str:
    """Give a text as the fonts (sets of code points) can print it; long words get places to break.

    White space of any kind becomes a space, except what does not break.
    """
    letters = _letters(unicodedata.normalize("NFC", _BLANK.sub(" ", text)))
    return "".join(_with_breaks(_shown(letter, fonts) for letter in letters))


def _letters(text: str) -> Iterable[str]:
    """Part a text into letters with the first of their marks."""
    letter = ""
    for character in text:
        if not unicodedata.category(character).startswith("M"):
            if letter:
                yield letter
            letter = character
        elif letter and len(letter) <= _MOST_MARKS:
            letter += character
    if letter:
        yield letter


def _shown(letter: str, fonts: Sequence[frozenset[int]]) -> str:
    """Give a letter with its marks if one font has them all, else without them, else a box."""
    if letter in _JOINERS:
        return letter
    if unicodedata.category(letter[0]) in {"Cc", "Cf"}:
        return ""
    apart = unicodedata.normalize("NFD", letter)
    for candidate in (letter, apart, letter[0], apart[0]):
        if any(font.issuperset(map(ord, candidate)) for font in fonts):
            return candidate
    return BOX


def _with_breaks(letters: Iterable[str]) -> Iterable[str]:
    run = 0
    for letter in letters:
        run = 0 if letter == " " else run + 1
        yield letter
        if run >= _LONG_WORD and (letter in _BREAKS_AFTER or run % _PIECE == 0):
            yield _BREAK
