"""The words of a schedule's sentence tied to its five fields."""

import pytest
from hypothesis import given

from billclock.cron.expression import Expression
from billclock.web.sentence import pieces, tied
from tests.cron.strategies import expressions

FIELDS = ("minute", "hour", "day-of-month", "month", "day-of-week")


@given(expressions)
def test_no_letter_of_a_sentence_is_lost(expression: Expression) -> None:
    for language in ("en", "ru"):
        said = expression.describe(language)
        assert "".join(text for text, _fields in pieces(said, language)) == said


@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize(
    ("text", "untied"),
    [
        ("30 2 1 jan mon", set()),
        ("5,10 9-17 1,15 2-4 2", set()),
        ("*/20 8-18/2 * * 6", {"day-of-month", "month"}),
        ("*/5 * * * *", {"hour", "day-of-month", "month", "day-of-week"}),
        ("0 4 */2 * *", {"day-of-week"}),
    ],
)
def test_every_field_that_says_something_has_its_words(
    text: str, untied: set[str], language: str
) -> None:
    said = Expression.parse(text).describe(language)
    tied_to = {name for _text, fields in pieces(said, language) for name in fields.split()}
    assert set(FIELDS) - tied_to == untied


def test_a_sentence_is_put_into_a_page_with_its_ties() -> None:
    assert tied("At 02:30 <b>", "en") == 'At <span data-of="minute hour">02:30</span> &lt;b&gt;'
