"""Documents: what stands in them, the same bytes for the same paper, and texts that mean harm."""

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billclock.billing.documents import lettering
from billclock.billing.documents.data import digest, machine_data, sealed
from billclock.billing.documents.paper import InvoicePaper, Kind, Line, Party, TaxTotal
from billclock.billing.documents.rendering import render
from billclock.billing.errors import DocumentError
from tests.billing.papers import (
    LINES,
    RUSSIAN_BUYER,
    RUSSIAN_SELLER,
    SELLER,
    SERVER,
    paper,
    read,
    text,
)

ROOT = Path(__file__).parents[2]
MARKUP = (
    '#panic("evil") $x$ *b* _i_ <label> @ref `raw` \\u{41} // x /* y */ [z] = h ~ -- #sys.inputs'
)
POINTS = 72 / 25.4  # in a millimetre


def shown(*, lines: Any = LINES, **changed: Any) -> str:
    return text(render(paper(lines, **changed)))


# What stands in a document


def test_an_invoice_says_all_that_it_must():
    found = shown(paid_minor=1000, notes=("Thank you.\nSee you soon.",))
    for expected in (
        "Invoice Number INV-2026-000123 Date of issue 1 November 2026 Payable by 15 November 2026",
        "Nordlicht Hosting GmbH Speicherstraße 14 · 20457 Hamburg · Germany",
        "Billed to Zażółć Łódź Sp. z o.o. ul. Piotrkowska 104 90-926 Łódź Poland",
        "Tax number PL5260001246",
        "Virtual server KVM-4 vm-1042.example.net 1–30 Nov 2026 1 month 24.00 24.00 4.56 19% 28.56",
        "Object storage by the hour 1–31 Oct 2026 745 h 0.016563 12.34 2.34 19% 14.68",
        "12 October 1 −5.00 −5.00 −0.95 19% −5.95",
        "Net 56.34 VAT 19% on 31.34 5.95 VAT 7% on 25.00 1.75 Total 64.04 EUR",
        "Paid 10.00 EUR Amount due 54.04 EUR",
        "Thank you. See you soon.",
        "DE89 3704 0044 0532 0130 00 BIC COBADEFFXXX Bank Commerzbank Hamburg",
        "Reference INV-2026-000123",
        "Tax number DE136695976 · Registration HRB 104215, Amtsgericht Hamburg",
        "Page 1 of 1",
    ):
        assert expected in found


def test_where_no_line_has_a_unit_price_no_column_stands_for_one():
    bare = paper([replace(SERVER, unit_price_micro=None)])
    text = " ".join(read(render(bare)).pages[0].extract_text().split())
    assert "Description Quantity Net Tax Gross" in text


def test_a_russian_document_is_russian_throughout():
    lines = [
        Line(
            "Аренда сервера",
            1250000,
            200_000,
            250000,
            "1 мес.",
            12_500_000_000,
            date(2026, 10, 1),
            date(2026, 11, 1),
        )
    ]
    found = shown(
        lines=lines,
        kind=Kind.REQUEST,
        language="ru",
        currency="RUB",
        seller=RUSSIAN_SELLER,
        buyer=RUSSIAN_BUYER,
        paid_minor=2_000_000,
    )
    for expected in (
        "Счёт на оплату Номер INV-2026-000123 Дата 1 ноября 2026 Оплатить до 15 ноября 2026",
        "Плательщик ИП Александрова Екатерина пр. Невский, д. 28",
        "Аренда сервера 1–31 окт. 2026 г. 1 мес. 12 500,00 12 500,00 2 500,00 20 % 15 000,00",
        "Без налога 12 500,00 НДС 20 % с 12 500,00 2 500,00 Всего 15 000,00 RUB",
        "Оплачено 20 000,00 RUB Переплата 5 000,00 RUB",
        "Страница 1 из 1",
    ):
        assert expected in found
    assert "40702810900000012345" not in found  # nothing is left to pay


def test_a_credit_note_is_negative_and_names_its_invoice():
    found = shown(
        kind=Kind.CREDIT_NOTE,
        number="CN-1",
        due_on=None,
        credits="INV-2026-000123",
        credits_on=date(2026, 11, 1),
    )
    assert "Credit note Number CN-1" in found
    assert "Credits invoice INV-2026-000123 of 1 November 2026" in found
    assert "1 month −24.00 −24.00 −4.56 19% −28.56" in found
    assert "12 October 1 5.00 5.00 0.95 19% 5.95" in found
    assert "VAT 19% on −31.34 −5.95" in found
    assert "Total credited −64.04 EUR" in found
    assert "DE89" not in found


def test_a_closing_document_has_room_for_two_signatures():
    found = shown(kind=Kind.CLOSING, credits="INV-1", due_on=None)
    assert "Statement of services" in found
    assert "For invoice INV-1" in found
    assert found.count("Date, name, signature") == 2
    assert "For the seller Nordlicht Hosting GmbH" in found


def test_tax_that_is_turned_over_is_said():
    lines = [replace(SERVER, tax_ppm=0, tax_minor=0)]
    note = "Reverse charge: the recipient is liable for the tax (Art. 196 Directive 2006/112/EC)."
    found = shown(lines=lines, notes=(note,))
    assert note in found
    assert "VAT 0% on 24.00 0.00 Total 24.00 EUR" in found


@pytest.mark.parametrize(
    ("currency", "decimals", "language", "net", "total"),
    [
        ("JPY", 0, "en", "1,234,567 0", "Total 1,234,567 JPY"),
        ("EUR", 2, "en", "12,345.67 0.00", "Total 12,345.67 EUR"),
        ("KWD", 3, "en", "1,234.567 0.000", "Total 1,234.567 KWD"),
        ("KWD", 3, "ru", "1 234,567 0,000", "Всего 1 234,567 KWD"),
        ("JPY", 0, "ru", "1 234 567 0", "Всего 1 234 567 JPY"),
    ],
)
def test_amounts_have_the_decimals_of_their_currency(currency, decimals, language, net, total):
    found = shown(
        lines=[Line("A", 1_234_567, 0, 0)], currency=currency, decimals=decimals, language=language
    )
    assert net in found
    assert total in found


@pytest.mark.parametrize(
    ("start", "end", "language", "expected"),
    [
        (date(2026, 2, 1), date(2026, 2, 2), "en", "A 1 Feb 2026 1"),
        (date(2026, 2, 1), date(2026, 3, 1), "en", "1–28 Feb 2026"),
        (date(2026, 1, 31), date(2026, 2, 28), "en", "31 Jan – 27 Feb 2026"),
        (date(2026, 3, 1), date(2027, 3, 1), "en", "1 Mar 2026 – 28 Feb 2027"),
        (date(2026, 5, 9), date(2026, 6, 9), "ru", "9 мая – 8 июн. 2026 г."),
    ],
)
def test_a_half_open_period_is_told_by_its_last_day(start, end, language, expected):
    found = shown(lines=[Line("A", 1, 0, 0, start=start, end=end)], language=language)
    assert expected in found


def test_a_tax_may_have_a_name_and_a_rate_of_thousandths():
    line = Line("A", 10_000, 88_750, 888)
    found = shown(lines=[line], taxes=(TaxTotal(88_750, 10_000, 888, "Sales tax"),))
    assert "Sales tax 8.875% on 100.00 8.88" in found


def test_a_draft_has_no_number_and_a_document_may_be_empty():
    found = shown(lines=(), number="", seller=replace(SELLER, address=()), buyer=Party("B"))
    assert "Invoice Date of issue" in found
    assert "Total 0.00 EUR" in found
    assert "Reference" not in found


# Papers that cannot be


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"net_minor": 5633}, "the net of the lines is 5634, the document says 5633"),
        ({"tax_minor": 771}, "the tax of the lines is 770, the document says 771"),
        ({"taxes": (TaxTotal(190_000, 5635, 770),)}, "the net of the rates is 5635"),
        ({"taxes": (TaxTotal(190_000, 5634, 769),)}, "the tax of the rates is 769"),
        ({"language": "de"}, "there are no words in 'de'; use en or ru"),
        ({"decimals": 7}, "EUR cannot have 7 decimals"),
    ],
)
def test_a_paper_that_does_not_agree_with_itself_is_refused(changed, what):
    with pytest.raises(DocumentError, match=what) as refused:
        paper(**changed)
    assert str(refused.value).startswith("invoice INV-2026-000123: ")
    assert refused.value.number == "INV-2026-000123"


@pytest.mark.parametrize("end", [None, date(2026, 11, 1), date(2026, 10, 31)])
def test_a_period_without_days_is_refused(end):
    with pytest.raises(DocumentError, match="line 2: no day lies from 2026-11-01 to before"):
        paper([SERVER, replace(SERVER, end=end)])


# The file


def test_the_same_paper_is_the_same_bytes_in_any_process(tmp_path):
    # The zones, languages, hash seeds and dates of processes differ; those of papers do not.
    program = (
        "import sys; from tests.billing.papers import paper; "
        "from billclock.billing.documents.rendering import render; "
        "sys.stdout.buffer.write(render(paper()))"
    )
    here = render(paper())
    for seed, zone in (("1", "Asia/Tokyo"), ("2", "America/St_Johns")):
        environment = os.environ | {
            "PYTHONHASHSEED": seed,
            "TZ": zone,
            "LANG": "ru_RU.UTF-8",
            "SOURCE_DATE_EPOCH": seed,
            "PYTHONPATH": str(ROOT),
        }
        found = subprocess.run(
            [sys.executable, "-c", program],
            env=environment,
            cwd=tmp_path,
            check=True,
            capture_output=True,
        )
        assert found.stdout == here
    assert render(paper(issued_on=date(2026, 11, 2))) != here


def test_the_file_is_an_archive_of_the_third_part():
    reader = read(render(paper(language="ru")))
    root = reader.trailer["/Root"]
    meta = root["/Metadata"].get_object().get_data().decode()
    assert "<pdfaid:part>3</pdfaid:part>" in meta
    assert "<pdfaid:conformance>B</pdfaid:conformance>" in meta
    (intent,) = (each.get_object() for each in root["/OutputIntents"])
    assert intent["/S"] == "/GTS_PDFA1"
    assert intent["/DestOutputProfile"].get_object().get_data()[36:40] == b"acsp"  # ICC's mark
    assert not reader.is_encrypted
    assert "/AA" not in root
    assert "/OpenAction" not in root
    assert reader.trailer["/ID"]
    assert root["/Lang"] == "ru"
    assert bool(root["/MarkInfo"]["/Marked"])


def test_every_font_is_one_of_ours_and_embedded():
    reader = read(render(sealed(paper([*LINES, *LINES] * 10))))
    names = set()
    for page in reader.pages:
        for each in page["/Resources"]["/Font"].values():
            font = each.get_object()
            (inner,) = (child.get_object() for child in font["/DescendantFonts"])
            described = inner["/FontDescriptor"].get_object()
            assert "/FontFile2" in described or "/FontFile3" in described
            assert "/ToUnicode" in font
            names.add(str(font["/BaseFont"]).partition("+")[2])
    assert names == {"Inter-Regular", "Inter-SemiBold", "JetBrainsMono-Regular"}


def test_title_author_and_days_are_the_papers():
    reader = read(render(paper()))
    assert reader.metadata is not None
    assert reader.metadata.title == "Invoice INV-2026-000123"
    assert reader.metadata.author == "Nordlicht Hosting GmbH"
    assert reader.metadata.creation_date_raw == "D:20261101000000Z"
    assert [float(length) for length in reader.pages[0].mediabox[2:]] == pytest.approx(
        [210 * POINTS, 297 * POINTS], abs=0.01
    )


def test_the_attached_data_are_the_paper_and_the_seal_is_their_digest():
    whole = sealed(paper(notes=("Ж",)))
    reader = read(render(whole))
    (attached,) = reader.attachments["document.json"]
    assert hashlib.sha256(attached).hexdigest() == digest(whole) == whole.seal.split()[1]
    assert f"Seal: SHA-256 {digest(whole)}" in text(render(whole))
    data = json.loads(attached)
    assert data["form"] == "billclock-document-1"
    assert data["kind"] == "invoice"
    assert data["lines"][0]["start"] == "2026-11-01"
    assert data["lines"][0]["unit_price_micro"] == 24_000_000
    assert data["notes"] == ["Ж"]
    assert set(data) == set(asdict(whole)) - {"seal"} | {"form"}
    related = reader.trailer["/Root"]["/AF"][0].get_object()
    assert related["/AFRelationship"] == "/Data"


def test_a_seal_does_not_change_what_is_sealed():
    assert machine_data(sealed(paper())) == machine_data(paper())
    assert digest(paper()) != digest(paper(number="INV-2"))


# Long documents


@pytest.fixture(scope="module")
def long_pages() -> list[str]:
    lines = [replace(SERVER, text=f"line{place} " + "words " * (place % 7)) for place in range(500)]
    pages = read(render(paper(lines))).pages
    return [" ".join(page.extract_text().split()) for page in pages]


def test_five_hundred_lines_are_all_there_in_order(long_pages):
    found = [word for word in " ".join(long_pages).split() if word.startswith("line")]
    assert found == [f"line{place}" for place in range(500)]


def test_each_page_has_its_head_its_number_and_the_documents_name(long_pages):
    assert len(long_pages) > 10
    for place, page in enumerate(long_pages, 1):
        assert f"Page {place} of {len(long_pages)}" in page
        assert ("Description Quantity Unit price" in page) == ("line" in page)
        assert ("Invoice INV-2026-000123 Nordlicht" in page) == (place > 1)


def test_the_sums_stand_together(long_pages):
    (last,) = (page for page in long_pages if "Total" in page)
    assert "Net 12,000.00 VAT 19% on 12,000.00 2,280.00 Total 14,280.00 EUR" in last


def places(pdf: bytes) -> list[tuple[float, float]]:
    """Give where each piece of text begins, in points from the lower left corner."""
    found: list[tuple[float, float]] = []

    def visit(piece: str, matrix: list[float], inner: list[float], *_: Any) -> None:
        if piece.strip():
            x, y = inner[4], inner[5]
            found.append(
                (
                    matrix[0] * x + matrix[2] * y + matrix[4],
                    matrix[1] * x + matrix[3] * y + matrix[5],
                )
            )

    for page in read(pdf).pages:
        page.extract_text(visitor_text=visit)
    return found


def assert_within_margins(pdf: bytes) -> None:
    found = places(pdf)
    assert found
    for x, y in found:
        assert 19 * POINTS <= x <= 191 * POINTS
        assert 5 * POINTS <= y <= 292 * POINTS


@pytest.mark.parametrize("net", [2**61, -(2**61)])
def test_the_largest_amounts_of_the_books_stay_on_the_page(net):
    line = Line("A long description of something dear", net, 200_000, net // 5, "1,000,000 h", net)
    made = render(paper([line]))
    assert_within_margins(made)
    assert f"{abs(net) // 100:,}." in text(made)


def test_a_description_longer_than_a_page_goes_on():
    made = render(paper([replace(SERVER, text="end to end " * 1500 + "last")]))
    assert_within_margins(made)
    assert text(made).count("end to end") == 1500
    assert "last" in text(made)


@pytest.mark.parametrize("word", ["x" * 3000, "W" * 3000, "a.b-c/d" * 400, "\u00a0x" * 900])
def test_words_without_end_are_broken(word):
    made = render(
        paper([replace(SERVER, text=word)], buyer=Party(word[:200], (word[:200],)), notes=(word,))
    )
    assert_within_margins(made)
    assert word.replace("\u00a0", "")[:40] in text(made).replace(" ", "")


# Texts that mean harm


def everywhere(hostile: str) -> InvoicePaper:
    """Put a text wherever a paper takes one."""
    party = Party(hostile, (hostile, hostile), hostile, hostile, replace(SELLER.bank, name=hostile))
    lines = [replace(SERVER, text=hostile, quantity=hostile)]
    taxes = (TaxTotal(190_000, 2400, 456, hostile),)
    return paper(
        lines, seller=party, buyer=party, taxes=taxes, notes=(hostile,), number=hostile,
        credits=hostile, seal=hostile, currency=hostile, kind=Kind.CREDIT_NOTE,
    )  # fmt: skip


def test_markup_is_printed_as_it_is_typed():
    found = text(render(everywhere(MARKUP))).replace(" ", "")
    assert found.count(MARKUP.replace(" ", "")) >= 12


@pytest.mark.parametrize(
    "hostile",
    [
        "",
        " ",
        "\u202e00.1 latoT\u202c",
        "\u2066\u2067שלום עולם مرحبا",
        "中文 日本語 한국어 ไทย",
        "👩‍👩‍👧 🏳️‍🌈 \U000e0041",
        "Z\u0335\u0336\u0337\u0338\u0301\u0302\u0303\u0304\u0305\u0306a\u0301" * 20,
        "\x00\x01\x1b[31m\x7f\x85\u2028\u2029\ufeff\ufffe\uffff",
        "\ud800 \udfff",
        "\ue000 \U0010fffd",
        "a\tb\r\nc\n\n\nd",
        '"}] \\ " \' {{ }} %s {0} </script>',
        "\u0301 begins with a mark",
    ],
)
def test_no_text_breaks_a_document(hostile):
    made = render(everywhere(hostile))
    assert_within_margins(made)
    assert "24.00" in text(made)
    (attached,) = read(made).attachments["document.json"]
    assert json.loads(attached)["buyer"]["name"] == hostile


def test_nothing_turns_the_direction_of_a_figure():
    found = shown(lines=[replace(SERVER, text="A\u202eB", quantity="\u202e12")])
    assert "AB 1–30 Nov 2026 12 24.00 24.00" in found


def test_what_no_font_has_is_a_box_and_stays_in_the_data():
    whole = paper(buyer=Party("株式会社 Müller"))
    assert f"{lettering.BOX * 4} Müller" in text(render(whole))
    assert "株式会社 Müller" in machine_data(whole)


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.text(max_size=60))
def test_any_text_makes_a_document(hostile):
    assert render(everywhere(hostile)).startswith(b"%PDF")
