"""Closing: an invoice's PDF made, sealed, kept, and nothing of it changed any more."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile
from urllib.parse import quote

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from billclock.accounts import audit
from billclock.accounts.models import User
from billclock.billing import papers
from billclock.billing.documents import rendering
from billclock.billing.documents.data import digest, sealed
from billclock.billing.errors import DocumentError
from billclock.billing.invoices import Invoice, lock
from billclock.billing.provider import Closing, Company

ITS_OWN = (Invoice.Kind.INVOICE, Invoice.Kind.CREDIT_NOTE)
"""The kinds that are closed; a request to pay is asked for and forgotten."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A sealed PDF on disk: the digest of its data, and of its bytes."""

    digest: str
    pdf_digest: str


def due(company: Company, on: date) -> QuerySet[Invoice]:
    """Give the invoices that a company's rule closes on a date, the oldest first."""
    found = Invoice.objects.filter(
        company=company, state=Invoice.State.ISSUED, kind__in=ITS_OWN
    ).order_by("issued_on", "id")
    match company.closing:
        case Closing.DAYS:
            return found.filter(issued_on__lte=on - timedelta(days=company.closing_days))
        case Closing.PAID:
            return found.filter(paid_on__lte=on)
        case Closing.SIGNED:
            return found.filter(signed_on__lte=on)
        case _:
            return found.none()


def close(invoice: Invoice) -> Invoice:
    """Close an issued invoice: its PDF is made, sealed, kept on disk, and it stays as it is.

    The file is written before the books say so; a run that is cut off between the two writes the
    same one again. Raises DocumentError for another state, or where the PDF cannot be made.
    """
    if invoice.kind not in ITS_OWN or invoice.state != Invoice.State.ISSUED or not invoice.number:
        raise DocumentError(
            invoice.kind, invoice.number, f"it is {invoice.state}", "close what is issued"
        )
    return _seal(invoice, _keep(invoice))


@transaction.atomic
def sign(invoice: Invoice, on: date) -> Invoice:
    """Note when the client signed an invoice; of an earlier day it stays at that."""
    found = lock(invoice)
    if found.state != Invoice.State.ISSUED:
        raise DocumentError(found.kind, found.number, f"it is {found.state}", "sign what is issued")
    found.signed_on = min(found.signed_on or on, on)
    found.save(update_fields=["signed_on"])
    return found


@transaction.atomic
def reopen(invoice: Invoice, by: User, why: str = "") -> Invoice:
    """Open a closed invoice again, so that its note, days and signature can be set; it is audited.

    What was sealed stays on disk. Raises DocumentError where it is not closed or `by` may not:
    that takes a root user to whom every crontab is open.
    """
    if not (by.is_active and by.rules):
        raise DocumentError(
            invoice.kind, invoice.number, f"{by.email} may not open it again", "ask a root user"
        )
    found = lock(invoice)
    if found.state != Invoice.State.CLOSED:
        raise DocumentError(found.kind, found.number, f"it is {found.state}, and not closed")
    before = f"closed on {found.closed_on}, sealed {found.digest}"
    found.state, found.closed_on, found.digest, found.pdf_digest = (
        Invoice.State.ISSUED,
        None,
        "",
        "",
    )
    found.save(update_fields=["state", "closed_on", "digest", "pdf_digest"])
    audit.note(by.email, "invoice.reopen", f"{found.kind} {found.number}", before=before, after=why)
    return found


def pdf(invoice: Invoice) -> bytes:
    """Give an invoice's PDF: of a closed one the file that was kept, made again if it is lost.

    Raises DocumentError where the file is not the one that was sealed.
    """
    if invoice.state != Invoice.State.CLOSED:
        return papers.pdf(invoice)
    try:
        kept = place(invoice).read_bytes()
    except FileNotFoundError:
        kept = rendering.render(sealed(papers.paper(invoice)))
    if hashlib.sha256(kept).hexdigest() != invoice.pdf_digest:
        raise DocumentError(
            invoice.kind, invoice.number, f"{place(invoice)} is not the PDF that was sealed",
            "take it from a backup",
        )  # fmt: skip
    return kept


def place(invoice: Invoice, seal: str = "") -> Path:
    """Give where a closed invoice's PDF lies; each seal has a file of its own."""
    year = str(invoice.issued_on.year) if invoice.issued_on else "-"
    name = f"{quote(invoice.number, safe='')}_{invoice.pk}_{(seal or invoice.digest)[:12]}.pdf"
    return Path(settings.HOME) / "documents" / invoice.company.code / year / name


def changed() -> Iterator[str]:
    """Say which closed invoices are not what was sealed: their rows in the books, or their file."""
    closed = Invoice.objects.filter(state=Invoice.State.CLOSED).select_related("company", "credits")
    for invoice in closed.iterator(chunk_size=500):
        try:
            if digest(papers.paper(invoice)) != invoice.digest:
                yield f"{invoice.kind} {invoice.number} was sealed otherwise"
            pdf(invoice)
        except DocumentError as error:
            yield str(error)


def _keep(invoice: Invoice) -> Kept:
    """Write the sealed PDF whole or not at all, and see to it that it is on the disk."""
    paper = papers.paper(invoice)
    made = rendering.render(sealed(paper))
    kept = Kept(digest(paper), hashlib.sha256(made).hexdigest())
    target = place(invoice, kept.digest)
    target.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=target.parent, prefix=".new ", delete=False) as file:
        try:
            file.write(made)
            file.flush()
            os.fsync(file.fileno())
            Path(file.name).replace(target)
        except BaseException:
            with suppress(FileNotFoundError):
                Path(file.name).unlink()
            raise
    _sync(target.parent)
    return kept


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@transaction.atomic
def _seal(invoice: Invoice, kept: Kept) -> Invoice:
    found = lock(invoice)
    if found.state != Invoice.State.ISSUED:
        return found  # somebody else closed it meanwhile
    if digest(papers.paper(found)) != kept.digest:
        raise DocumentError(found.kind, found.number, "it was changed meanwhile", "close it again")
    found.state, found.closed_on = Invoice.State.CLOSED, found.account.provider.today()
    found.digest, found.pdf_digest = kept.digest, kept.pdf_digest
    found.save(update_fields=["state", "closed_on", "digest", "pdf_digest"])
    return found
