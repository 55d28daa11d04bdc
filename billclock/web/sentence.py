"""The sentence of a schedule with each word tied to the fields that it comes from."""

import re
from collections.abc import Iterator, Mapping, Sequence
from html import escape

from django.utils.safestring import SafeString

MINUTE, HOUR, DAY, MONTH, WEEKDAY = "minute", "hour", "day-of-month", "month", "day-of-week"
_MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
_MONTHS_RU = (
    r"январ\w+|феврал\w+|март\w*|апрел\w+|ма[йяе]\b|июн\w+|июл\w+|август\w*|сентябр\w+"
    r"|октябр\w+|ноябр\w+|декабр\w+"
)

_ENGLISH = (
    (f"{MINUTE} {HOUR}", r"\d\d:\d\d"),
    (HOUR, r"every (?:\d+\w\w )?hour(?: on the hour| from \d\d to \d\d)?\b|every \d+ hours"),
    (HOUR, r"the hours \d\d(?:(?:–|, | and )\d\d)*"),
    (MINUTE, r":\d\d|every (?:\d+ )?minutes?|\d+(?:(?:, | and )\d+)* minutes? past"),
    (f"{DAY} {WEEKDAY}", r"every day"),
    (DAY, rf"\d+(?:st|nd|rd|th)|(?:odd|even) days|\d+(?= (?:{_MONTHS}))"),
    (MONTH, rf"every month|{_MONTHS}"),
    (WEEKDAY, r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)days?"),
)
_RUSSIAN = (
    (f"{MINUTE} {HOUR}", r"\d\d:\d\d"),
    (HOUR, r"каждого (?:\d+-го )?часа(?: с \d\d по \d\d)?|каждый час|каждые \d+ час\w+"),
    (HOUR, r"часы \d\d(?:(?:–|, | и )\d\d)*"),
    (MINUTE, r"кажд\w+ (?:\d+ )?минут\w*|\d+-[йю](?:(?:, | и )\d+-й)*(?: минут\w*)?"),
    (f"{DAY} {WEEKDAY}", r"каждый день|ежедневно"),
    (DAY, rf"\d+-(?:го|е)(?: числ\w+)?|(?:не)?чётным числам|\d+(?= (?:{_MONTHS_RU}))"),
    (MONTH, rf"каждого месяца|{_MONTHS_RU}"),
    (WEEKDAY, r"(?:понедельник|вторник|сред|четверг|пятниц|суббот|воскресень)\w*"),
)


def _one_of(ties: Sequence[tuple[str, str]]) -> re.Pattern[str]:
    return re.compile("|".join(f"({pattern})" for _fields, pattern in ties), re.IGNORECASE)


_TIES: Mapping[str, tuple[Sequence[tuple[str, str]], re.Pattern[str]]] = {
    "en": (_ENGLISH, _one_of(_ENGLISH)),
    "ru": (_RUSSIAN, _one_of(_RUSSIAN)),
}


def pieces(sentence: str, language: str) -> Iterator[tuple[str, str]]:
    """Part a sentence: each piece with the names of its fields, empty for words between."""
    ties, found = _TIES[language]
    at = 0
    for match in found.finditer(sentence):
        if match.start() > at:
            yield sentence[at : match.start()], ""
        yield match[0], ties[(match.lastindex or 1) - 1][0]
        at = match.end()
    if at < len(sentence):
        yield sentence[at:], ""


def tied(sentence: str, language: str) -> SafeString:
    """Give a sentence as it is put into a page: its words point at their fields as one hovers."""
    return SafeString(
        "".join(
            f'<span data-of="{fields}">{escape(text)}</span>' if fields else escape(text)
            for text, fields in pieces(sentence, language)
        )
    )
