"""A paper as PDF/A-3b: the same bytes for the same paper, on every machine and day."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Final

import typst

from billclock.billing.documents.data import machine_data
from billclock.billing.documents.fonts import fonts
from billclock.billing.documents.lettering import lettered
from billclock.billing.documents.paper import InvoicePaper
from billclock.billing.documents.sheet import sheet
from billclock.billing.errors import DocumentError

_TEMPLATES = Path(__file__).parent / "templates"
_STANDARD: Final = "a-3b"


def render(paper: InvoicePaper, *, more_fonts: Path | None = None) -> bytes:
    """Give a paper's PDF, with its data attached; DocumentError where it cannot be set.

    Texts go in as data, never as source, so none of them is read as markup. `more_fonts` is a
    folder of a seller's own fonts, for scripts that those of the package do not have.
    """
    known = fonts(more_fonts)
    printed = lettered(sheet(paper), known.repertoires) | {"date": _numbers(paper.issued_on)}
    try:
        made: bytes = typst.compile(
            _TEMPLATES / "document.typ",
            root=_TEMPLATES,
            font_paths=known.loaded,
            ignore_system_fonts=True,
            format="pdf",
            sys_inputs={"sheet": json.dumps(printed), "data": machine_data(paper)},
            pdf_standards=_STANDARD,
            timestamp=datetime.combine(paper.issued_on, time(), UTC),
        )
    except typst.TypstError as fault:
        raise DocumentError(
            paper.kind, paper.number, f"it cannot be set: {fault.message}"
        ) from fault
    return made


def _numbers(on: date) -> list[int]:
    return [on.year, on.month, on.day]
