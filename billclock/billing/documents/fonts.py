"""The fonts of documents: those of the package first, then a seller's own; never the system's."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import typst

OWN = Path(__file__).parent / "fonts"

_UNICODE = {(0, 3), (0, 4), (0, 6), (3, 1), (3, 10)}  # platform and encoding, in part or whole
_SEGMENTS, _GROUPS = 4, 12  # the forms of a table of characters that fonts have today
_LAST = 0xFFFF


@dataclass(frozen=True)
class Fonts:
    """Loaded fonts, and of each the code points it can print."""

    loaded: typst.Fonts
    repertoires: tuple[frozenset[int], ...]


@cache
def fonts(more: Path | None = None) -> Fonts:
    """Load the fonts of the package and of a folder; once a process and folder."""
    folders = [OWN, *([more] if more else [])]
    files = sorted(
        path for folder in folders for path in folder.rglob("*") if path.suffix in {".ttf", ".otf"}
    )
    loaded = typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=list(folders)
    )
    return Fonts(loaded, tuple(dict.fromkeys(code_points(path) for path in files)))


def code_points(path: Path) -> frozenset[int]:
    """Give the characters a TrueType or OpenType font has, by its cmap table (OpenType 1.9)."""
    data = path.read_bytes()
    for place in range(struct.unpack_from(">H", data, 4)[0]):
        tag, _, start, _ = struct.unpack_from(">4sIII", data, 12 + 16 * place)
        if tag == b"cmap":
            return frozenset(_mapped(data, start))
    return frozenset()


def _mapped(data: bytes, cmap: int) -> Iterable[int]:
    for place in range(struct.unpack_from(">H", data, cmap + 2)[0]):
        platform, encoding, offset = struct.unpack_from(">HHI", data, cmap + 4 + 8 * place)
        form = struct.unpack_from(">H", data, cmap + offset)[0]
        if (platform, encoding) not in _UNICODE:
            continue
        if form == _SEGMENTS:
            yield from _by_segments(data, cmap + offset)
        elif form == _GROUPS:
            yield from _by_groups(data, cmap + offset)


def _by_segments(data: bytes, table: int) -> Iterable[int]:
    """Read form 4: ranges with a shift, or with a list of glyphs where the offset is not 0."""
    width = struct.unpack_from(">H", data, table + 6)[0]  # of one of four arrays, in bytes
    for place in range(0, width, 2):
        last = struct.unpack_from(">H", data, table + 14 + place)[0]
        first = struct.unpack_from(">H", data, table + 16 + width + place)[0]
        shift = struct.unpack_from(">H", data, table + 16 + 2 * width + place)[0]
        at = table + 16 + 3 * width + place
        offset = struct.unpack_from(">H", data, at)[0]
        for code in range(first, min(last, _LAST - 1) + 1):
            glyph = code
            if offset:
                glyph = struct.unpack_from(">H", data, at + offset + 2 * (code - first))[0]
                if not glyph:
                    continue
            if (glyph + shift) & _LAST:
                yield code


def _by_groups(data: bytes, table: int) -> Iterable[int]:
    """Read form 12: ranges of characters with the glyph of the first."""
    for place in range(struct.unpack_from(">I", data, table + 12)[0]):
        first, last, glyph = struct.unpack_from(">III", data, table + 16 + 12 * place)
        yield from range(first + (glyph == 0), last + 1)
