"""Papers for tests of documents, and a reader of the PDFs they become."""

import io
from collections.abc import Sequence
from datetime import date
from typing import Any

from pypdf import PdfReader

from billclock.billing.documents.paper import Bank, InvoicePaper, Kind, Line, Party, TaxTotal

SELLER = Party(
    "Nordlicht Hosting GmbH",
    ("Speicherstraße 14", "20457 Hamburg", "Germany"),
    "DE136695976",
    "HRB 104215, Amtsgericht Hamburg",
    Bank("DE89370400440532013000", "COBADEFFXXX", "Commerzbank Hamburg"),
)
BUYER = Party(
    "Zażółć Łódź Sp. z o.o.", ("ul. Piotrkowska 104", "90-926 Łódź", "Poland"), "PL5260001246"
)
RUSSIAN_SELLER = Party(
    "ООО «Часовой механизм»",
    ("ул. Тверская, д. 7", "125009 Москва"),
    "7707083893",
    "ОГРН 1027700132195",
    Bank("40702810900000012345", "044525225", "ПАО Сбербанк"),
)
RUSSIAN_BUYER = Party("ИП Александрова Екатерина", ("пр. Невский, д. 28",), "781000000000")

SERVER = Line(
    "Virtual server KVM-4 vm-1042.example.net",
    2400,
    190_000,
    456,
    "1 month",
    24_000_000,
    date(2026, 11, 1),
    date(2026, 12, 1),
)
STORAGE = Line(
    "Object storage by the hour",
    1234,
    190_000,
    234,
    "745 h",
    16_563,
    date(2026, 10, 1),
    date(2026, 11, 1),
)
BOOK = Line("Printed handbook “Cron for the patient”", 2500, 70_000, 175, "1", 25_000_000)
DISCOUNT = Line("Service credit for the outage of 12 October", -500, 190_000, -95, "1", -5_000_000)
LINES = (SERVER, STORAGE, BOOK, DISCOUNT)


def paper(lines: Sequence[Line] = LINES, **changed: Any) -> InvoicePaper:
    """Give a paper over lines, whose taxes and totals agree with them."""
    rates = sorted({line.tax_ppm for line in lines}, reverse=True)
    own = {rate: [line for line in lines if line.tax_ppm == rate] for rate in rates}
    taxes = tuple(
        TaxTotal(rate, sum(ln.net_minor for ln in some), sum(ln.tax_minor for ln in some))
        for rate, some in own.items()
    )
    given = {
        "kind": Kind.INVOICE,
        "number": "INV-2026-000123",
        "issued_on": date(2026, 11, 1),
        "seller": SELLER,
        "buyer": BUYER,
        "currency": "EUR",
        "decimals": 2,
        "lines": tuple(lines),
        "taxes": taxes,
        "net_minor": sum(line.net_minor for line in lines),
        "tax_minor": sum(line.tax_minor for line in lines),
        "due_on": date(2026, 11, 15),
    }
    return InvoicePaper(**(given | changed))


def read(pdf: bytes) -> PdfReader:
    """Open a PDF, strictly."""
    return PdfReader(io.BytesIO(pdf), strict=True)


def text(pdf: bytes) -> str:
    """Give the text of a PDF, white space as one space, without places where words may break."""
    pages = "\n".join(page.extract_text() for page in read(pdf).pages)
    return " ".join(pages.replace("\u200b", "").split())
