"""A paper's figures for programs: the JSON that is attached to its PDF, and the digest of it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace
from datetime import date
from typing import Any

from billclock.billing.documents.paper import InvoicePaper

FORM = "billclock-document-1"


def machine_data(paper: InvoicePaper) -> str:
    """Give all of a paper but its seal as JSON, the same text for the same paper.

    The names and units are the paper's own; days are written as in ISO 8601. A half of a surrogate
    pair, which no UTF-8 can hold, stands as JSON's escape.
    """
    content = {"form": FORM} | asdict(paper)
    content.pop("seal")
    text = json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True, default=_plain)
    return text.encode("utf-8", "backslashreplace").decode()


def digest(paper: InvoicePaper) -> str:
    """Give the SHA-256 of a paper's attached data, in hexadecimal."""
    return hashlib.sha256(machine_data(paper).encode()).hexdigest()


def sealed(paper: InvoicePaper) -> InvoicePaper:
    """Give a paper whose seal is the digest of its data: who has the PDF can compare the two."""
    return replace(paper, seal=f"SHA-256 {digest(paper)}")


def _plain(value: Any) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{value!r} has no form in a document's data")
