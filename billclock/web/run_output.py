"""A run's output as a page shows it: lines in safely coloured pieces, resumable at any of them."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from billclock.scheduler import output
from billclock.scheduler.merging import split
from billclock.web.terminal import ESCAPES
from billclock.web.visible import visible

LONGEST = 8192  # bytes of one line, beyond which it goes on as the next
A_PIECE = 256 * 1024  # bytes read at once

_COLOUR = re.compile(r"\x1b\[([0-9;:]*)m")
_FLAGS = {1: "b", 2: "d", 3: "i", 4: "u"}
_ENDS = {22: "bd", 23: "i", 24: "u"}
_STYLE = re.compile(r"[0-7]?[bdiu]{0,4}")

Pieces = Sequence[tuple[str, str]]  # classes of run.css, empty for plain text; the text


@dataclass(frozen=True, slots=True)
class Place:
    """Where to read on: at the byte `offset`, which begins line `line`, in a colour (`style`).

    A style is a digit for one of eight colours, and letters: bold, dim, italic, underlined.
    """

    offset: int = 0
    line: int = 1
    style: str = ""

    @classmethod
    def read(cls, text: str) -> "Place":
        """Read one from an address or a stream's event id; the beginning where it is none."""
        parts = text[:64].split(".")
        if len(parts) != 3 or not _STYLE.fullmatch(parts[2]):  # noqa: PLR2004
            return cls()
        if not all(part.isascii() and part.isdecimal() for part in parts[:2]):
            return cls()
        return cls(min(int(parts[0]), 2**62), min(int(parts[1]), 2**62), parts[2])

    def __str__(self) -> str:
        """Give it as `read` takes it."""
        return f"{self.offset}.{self.line}.{self.style}"


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its number, the byte it ends at, its pieces, bytes left out before it.

    An `open` line is still being printed.
    """

    number: int
    end: int
    pieces: Pieces
    left_out: int = 0
    open: bool = False

    @property
    def text(self) -> str:
        """Give its text."""
        return "".join(text for _, text in self.pieces)


@dataclass
class Reading:
    """Reads a run's output on from a place, which moves behind every line that is complete."""

    run: int
    place: Place = field(default_factory=Place)

    def lines(self) -> Iterator[Line]:
        """Give what there is now; the last line is open where it does not end yet."""
        parts = _parts(self.run, self.place.offset)
        for number, (begin, data, left_out) in enumerate(parts, 1):
            self.place = Place(begin, self.place.line, self.place.style)
            for at, raw in enumerate(_cut(data)):
                ended = raw.endswith(b"\n") or len(raw) >= LONGEST - 3 or number < len(parts)
                yield self._line(raw, 0 if at else left_out, ended=ended)

    def _line(self, raw: bytes, left_out: int, *, ended: bool) -> Line:
        here = self.place
        found, style = pieces(raw.rstrip(b"\n"), here.style)
        end = here.offset + len(raw)
        if ended:
            self.place = Place(end, here.line + 1, style)
        return Line(here.line, end, found, left_out, not ended)


def pieces(raw: bytes, style: str = "") -> tuple[Pieces, str]:
    """Give one line of output in pieces, begun in a style, and the style that it leaves.

    Of a line that is written over by carriage returns there is what was written last; what a
    terminal or browser would act upon is named or left out, as `terminal.lines` has it.
    """
    written: list[list[tuple[str, str]]] = [[]]
    text = raw.decode("utf-8", "replace")
    at = 0
    for escape in ESCAPES.finditer(text):
        _write(written, style, text[at : escape.start()])
        at = escape.end()
        if colour := _COLOUR.fullmatch(escape[0]):
            style = _coloured(style, colour[1])
    _write(written, style, text[at:])
    return next((line for line in reversed(written) if line), []), style


def _write(written: list[list[tuple[str, str]]], style: str, text: str) -> None:
    """Add text to the lines written so far: a carriage return begins the line anew."""
    kind = " ".join(f"a{sign}" for sign in style)
    for number, part in enumerate(text.split("\r")):
        if number:
            written.append([])
        if part:
            written[-1].append((kind, visible(part)))


def _coloured(style: str, codes: str) -> str:
    """Give the style after a code that selects one (ECMA-48, SGR); unknown ones change nothing."""
    colour, flags = style[:1] if style[:1].isdigit() else "", style.lstrip("01234567")
    numbers = iter([part if part.isdecimal() else "0" for part in codes.split(";")])
    for text in numbers:
        code = int(text[:4])
        if code in (38, 48):  # one of 256 or of all colours: it and what follows is passed over
            skipped = {"5": 1, "2": 3}.get(next(numbers, ""), 0)
            for _ in range(skipped):
                next(numbers, "")
        elif 30 <= code <= 37 or 90 <= code <= 97:  # noqa: PLR2004 - the standard's codes
            colour = str(code % 10)
        elif code == 0:
            colour = flags = ""
        elif code == 39:  # noqa: PLR2004
            colour = ""
        elif code in _FLAGS:
            flags = "".join(sorted({*flags, _FLAGS[code]}))
        elif code in _ENDS:
            flags = "".join(flag for flag in flags if flag not in _ENDS[code])
    return colour + flags


def _parts(run: int, offset: int) -> list[tuple[int, bytes, int]]:
    """Give what is kept from an offset: where each stretch begins, it, the bytes left out before.

    That is some 5 MiB at most, of an output that grows fast; a mebibyte once it is finished.
    """
    found: list[tuple[int, bytearray, int]] = []
    while (chunk := output.read(run, offset, limit=A_PIECE)).data:
        if chunk.left_out or not found:
            found.append((chunk.next - len(chunk.data), bytearray(), chunk.left_out))
        found[-1][1].extend(chunk.data)
        offset = chunk.next
    return [(begin, bytes(data), left_out) for begin, data, left_out in found]


def _cut(data: bytes) -> Iterator[bytes]:
    """Part data into lines with their ends; a line that is too long, between two characters."""
    for line in split(data):
        begin = 0
        while len(line) - begin > LONGEST:
            end = begin + LONGEST
            while end > begin + LONGEST - 3 and line[end] & 0xC0 == 0x80:  # noqa: PLR2004
                end -= 1
            yield line[begin:end]
            begin = end
        yield line[begin:]
