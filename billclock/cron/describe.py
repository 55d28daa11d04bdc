"""An expression in words, true to its values: what fires is what the sentence says."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from billclock.cron.words import english, russian
from billclock.cron.words.phrase import Phrase, phrase_of

if TYPE_CHECKING:
    from billclock.cron.expression import Expression


class Language(NamedTuple):
    """What a language must be able to say."""

    sentence: Callable[[Phrase], str]
    start_up: str


LANGUAGES = {
    "en": Language(english.sentence, english.START_UP),
    "ru": Language(russian.sentence, russian.START_UP),
}


def describe(expression: Expression, language: str = "en") -> str:
    """Return one sentence without a full stop, such as "Every day at 01:00".

    It is made from the expression's values and star flags, not from its text: equal expressions
    have equal sentences. Raises ValueError for a language that is not in LANGUAGES.
    """
    if language not in LANGUAGES:
        raise ValueError(f"language: {language!r} is not known; choose {' or '.join(LANGUAGES)}")
    words = LANGUAGES[language]
    if expression.word == "@reboot":
        return words.start_up
    return words.sentence(phrase_of(expression))
