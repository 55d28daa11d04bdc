"""Read an English sentence back as the moments it promises, knowing nothing of how it was made."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

MONTHS = [
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
]
WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
DATES = re.compile(r",? (every (?:leap )?year on .*|every day.*|on (?!the hour).*|from [MTWFS].*)$")
DAYS = re.compile(
    r"every (?P<step>\d+)\w\w day from the (?P<low>\d+)\w\w to the (?P<high>\d+)"
    r"|(?P<first>\d+)(?:st|nd|rd|th)(?: to (?P<last>\d+)(?:st|nd|rd|th))?"
)
LENGTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
# Every weekday falls on every date sooner or later.
CALENDAR = [
    (month, day, weekday)
    for month, length in enumerate(LENGTHS, 1)
    for day in range(1, length + 1)
    for weekday in range(7)
]


@dataclass
class Promise:
    """Minutes of the day, and dates as (month, day, weekday with Sunday = 0)."""

    moments: set[int]
    dates: set[tuple[int, int, int]]


def read(sentence: str) -> Promise:
    times, dates = _apart(sentence[0].lower() + sentence[1:])
    return Promise(_moments(times), _dates(dates))


def _apart(sentence: str) -> tuple[str, str]:
    if sentence.startswith("every day at "):
        return sentence.removeprefix("every day "), "every day"
    found = DATES.search(sentence)
    return (sentence[: found.start()], found[1]) if found else (sentence, "every day")


def _moments(times: str) -> set[int]:
    if times == "every hour on the hour":
        return set(range(0, 1440, 60))
    if found := re.fullmatch(r"at ([\d, and]+) minutes? past (.*)", times):
        return _each_hour(found[2], set(_numbers(found[1])))
    if ":" in times and not re.search(r" :\d\d", times):
        return set(_clock(times))
    minutes, _, hours = times.partition(" in ")
    if ":" in minutes:
        return _each_hour(hours, set(_clock(minutes.replace(" :", " 00:").removesuffix(","))))
    step = _numbers(minutes) or [1]
    return _each_hour(hours or "every hour", set(range(0, 60, step[0])))


def _clock(text: str) -> Iterator[int]:
    for part in text.split(", and "):
        step = 1
        if found := re.match(r"every (\d+ )?(hour|minute)", part):
            step = int(found[1] or 1) * (60 if found[2] == "hour" else 1)
        for first, last in re.findall(r"(\d\d:\d\d)(?: to (\d\d:\d\d))?", part):
            yield from range(_minute(first), _minute(last or first) + 1, step)


def _each_hour(hours: str, minutes: set[int]) -> set[int]:
    return {hour * 60 + minute for hour in _hours(hours) for minute in minutes}


def _hours(text: str) -> set[int]:
    if text == "every hour":
        return set(range(24))
    if found := re.fullmatch(r"every (?:(\d+)\w\w )?hour from (\d\d) to (\d\d)", text):
        return set(range(int(found[2]), int(found[3]) + 1, int(found[1] or 1)))
    assert text.startswith("the hours "), text
    spans = re.findall(r"(\d\d)(?:–(\d\d))?", text)
    return {hour for low, high in spans for hour in range(int(low), int(high or low) + 1)}


def _dates(text: str) -> set[tuple[int, int, int]]:
    months = _named(text, MONTHS) or set(range(1, 13))
    days = _days(text)
    weekdays = {day % 7 for day in _named(text, WEEKDAYS)}
    either = " or on any " in text
    return {
        (month, day, weekday)
        for month, day, weekday in CALENDAR
        if month in months
        and (
            day in days or weekday in weekdays
            if either
            else (not days or day in days) and (not weekdays or weekday in weekdays)
        )
    }


def _days(text: str) -> set[int]:
    if found := re.search(r"year on (\d+) ", text):
        return {int(found[1])}
    if found := re.search(r"(odd|even) days", text):
        return set(range(1 if found[1] == "odd" else 2, 32, 2))
    days: set[int] = set()
    for one in DAYS.finditer(text):
        first, last = one["first"] or one["low"], one["last"] or one["high"] or one["first"]
        days.update(range(int(first), int(last) + 1, int(one["step"] or 1)))
    return days


def _named(text: str, names: list[str]) -> set[int]:
    either_name = "|".join(names)
    found = re.findall(rf"\b({either_name})s?\b(?: to ({either_name})s?\b)?", text)
    return {
        value
        for first, last in found
        for value in range(names.index(first) + 1, names.index(last or first) + 2)
    }


def _minute(time: str) -> int:
    hour, minute = time.split(":")
    return int(hour) * 60 + int(minute)


def _numbers(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", text)]
