"""Numbers of documents: what a template makes, and why one is refused."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billclock.billing.documents.paper import Kind
from billclock.billing.errors import DocumentError, NumberTemplateError
from billclock.billing.numbering import LONGEST, MARKS, NumberTemplate

ON = date(2026, 3, 9)


def made(template: str, number: int = 123, kind: Kind = Kind.INVOICE) -> str:
    return NumberTemplate.parse(template).format(number, ON, kind)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{year}-{number:06}", "2026-000123"),
        ("INV-{year}-{number:06}", "INV-2026-000123"),
        ("{number}", "123"),
        ("{number:2}", "123"),
        ("{number:18}", "000000000000000123"),
        ("{yy}{month}/{number:4}", "2603/0123"),
        ("{kind} {number} ({year})", "INV 123 (2026)"),
        ("№ {number}/26-ЕК", "№ 123/26-ЕК"),
    ],
)
def test_a_template_makes_numbers(template, expected):
    assert made(template) == expected


def test_each_kind_has_its_mark():
    found = {kind: made("{kind}-{number}", 7, kind) for kind in Kind}
    assert found == {kind: f"{mark}-7" for kind, mark in MARKS.items()}
    assert len(set(found.values())) == len(Kind)


def test_a_template_with_a_year_begins_again_with_it():
    assert NumberTemplate.parse("{year}-{number}").sequence_year(ON) == 2026
    assert NumberTemplate.parse("{yy}-{number}").sequence_year(ON) == 2026
    assert NumberTemplate.parse("{month}-{number}").sequence_year(ON) == 0


@pytest.mark.parametrize(
    ("template", "column", "what"),
    [
        ("", 1, "is empty"),
        ("  ", 1, "is empty"),
        (" {number}", 1, "begins or ends with a space"),
        ("INV-{year}", 10, r"has no \{number\}"),
        ("{number}-{number:06}", 20, r"has \{number\} twice"),
        ("A{numbr}", 2, r"\{numbr\} is no field.*use \{number\}, \{year\}"),
        ("{}", 1, r"\{\} is no field"),
        ("{number", 1, r"\{ stands alone"),
        ("{number}}", 9, r"\} stands alone"),
        ("{{number}}", 1, r"\{ stands alone"),
        ("{number:}", 1, "'' is no width"),
        ("{number:00}", 1, "'00' is no width"),
        ("{number:19}", 1, "'19' is no width"),
        ("{number:x}", 1, "'x' is no width.*six digits"),
        ("{number:>6}", 1, "'>6' is no width"),
        ("{number.__class__}", 1, "is no field"),
        ("{year:02}-{number}", 1, r"'02' is no width for \{year\}.*write \{year\}"),
        ("A\n{number}", 2, "may not stand in a number"),
        ("AB<{number}>", 3, "'<' may not stand in a number"),
        ("\u202e{number}", 1, "may not stand in a number"),
        ("..\\{number}", 3, "may not stand in a number"),
        ("x" * 61 + "{number}", 61, "has 69 characters.*at most 60"),
        ("x" * 52 + "{number}", 60, "makes numbers of 61 characters"),
    ],
)
def test_a_template_is_refused_with_its_column(template, column, what):
    with pytest.raises(NumberTemplateError, match=what) as refused:
        NumberTemplate.parse(template)
    assert refused.value.column == column
    assert repr(template) in str(refused.value)


def test_numbers_count_from_one():
    with pytest.raises(DocumentError, match="numbers count from 1"):
        made("{number}", 0)


def test_a_number_too_long_for_the_books_is_refused_not_cut():
    with pytest.raises(DocumentError, match=f"has {LONGEST + 1} characters.*shorten"):
        made("x" * 51 + "{number}", 10**9)


@given(
    st.integers(1, 10**15), st.integers(1, 10**15), st.sampled_from([Kind.INVOICE, Kind.REQUEST])
)
def test_two_numbers_of_a_sequence_never_look_alike(one, other, kind):
    for template in ("{year}{number:3}{month}", "{number}{yy}", "7{number}7", "{kind}{number:9}"):
        same = made(template, one, kind) == made(template, other, kind)
        assert same == (one == other)


@given(st.text(max_size=70))
def test_any_text_is_read_or_refused(text):
    try:
        template = NumberTemplate.parse(text)
    except NumberTemplateError:
        return
    assert template.format(1, ON, Kind.INVOICE)
