"""How many documents a second, beside the bare typesetter on an empty page?

Both sides have the same fonts loaded, the same standard and one process. Sizes take turns in every
round, and the median of the rounds counts; papers differ from each other, as invoices do.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from datetime import date

import typst
from _print import show

from billclock.billing.documents.fonts import fonts
from billclock.billing.documents.paper import Bank, InvoicePaper, Kind, Line, Party, TaxTotal
from billclock.billing.documents.rendering import render

EMPTY = b"""\
#set document(date: datetime(year: 2026, month: 11, day: 1))
#set text(font: "Inter")
#set page(paper: "a4")
"""
BARE = "bare typst, an empty page"
SIZES = (1, 40, 500)


def main() -> None:
    """Make documents of each size in turn with empty pages, and print what a second holds."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=15)
    options.add_argument("--json", action="store_true")
    chosen = options.parse_args()
    works: dict[str, Callable[[int], bytes]] = {BARE: bare}
    works |= {f"invoice, lines: {size}": invoices(size) for size in SIZES}
    took: dict[str, list[float]] = {name: [] for name in works}
    size = {name: len(work(0)) for name, work in works.items()}
    for turn in range(1, chosen.rounds + 1):
        for name, work in works.items():
            began = time.perf_counter()
            work(turn)
            took[name].append(time.perf_counter() - began)
    least = statistics.median(took[BARE])
    rows = [row(name, statistics.median(times), least, size[name]) for name, times in took.items()]
    show("Documents as PDF/A-3b", rows, as_json=chosen.json)


def row(name: str, seconds: float, least: float, size: int) -> dict[str, object]:
    return {
        "document": name,
        "ms": 1000 * seconds,
        "a second": round(1 / seconds, 1),
        "times the bare page": round(seconds / least, 1),
        "kB": size // 1000,
    }


def bare(turn: int) -> bytes:
    """Compile an empty page; each turn's source differs, so that nothing is remembered."""
    made: bytes = typst.compile(
        EMPTY + f"// {turn}".encode(),
        font_paths=fonts().loaded,
        ignore_system_fonts=True,
        format="pdf",
        pdf_standards="a-3b",
        timestamp=0,
    )
    return made


def invoices(size: int) -> Callable[[int], bytes]:
    """Give what makes the invoice of a turn, with so many lines."""

    def work(turn: int) -> bytes:
        lines = tuple(line(turn * size + place) for place in range(size))
        net, tax = sum(each.net_minor for each in lines), sum(each.tax_minor for each in lines)
        seller = Party(
            "Nordlicht Hosting GmbH",
            ("Speicherstraße 14", "20457 Hamburg"),
            "DE136695976",
            bank=Bank("DE89370400440532013000", "COBADEFFXXX"),
        )
        return render(
            InvoicePaper(
                Kind.INVOICE,
                f"INV-2026-{turn:06}",
                date(2026, 11, 1),
                seller,
                Party(f"Client {turn}", ("ul. Piotrkowska 104", "90-926 Łódź")),
                "EUR",
                2,
                lines,
                (TaxTotal(190_000, net, tax),),
                net,
                tax,
            )
        )

    return work


def line(place: int) -> Line:
    """Give a line that no other document has."""
    return Line(
        f"Virtual server KVM-4 vm-{place}.example.net",
        2400,
        190_000,
        456,
        "1 month",
        24_000_000,
        date(2026, 11, 1),
        date(2026, 12, 1),
    )


if __name__ == "__main__":
    main()
