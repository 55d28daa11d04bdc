"""The Russian sentence for a phrase."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from billclock.cron.words.phrase import (
    EVEN_DAYS,
    EVERY_HOUR,
    LEAP_DAY,
    MINUTES_PER_HOUR,
    ODD_DAYS,
    ON_THE_HOUR,
    ClockTimes,
    Dates,
    HourlyTimes,
    Phrase,
    Series,
    by_step,
    singles_and_rest,
)


class Weekday(NamedTuple):
    """The forms of a weekday's name that sentences need."""

    each: str  # accusative, with its pronoun: каждую среду
    any: str  # the same: любую среду
    dative: str  # plural: по средам
    since: str  # genitive: со среды
    until: str  # accusative: по среду


class Month(NamedTuple):
    """The forms of a month's name that sentences need."""

    accusative: str  # по май
    genitive: str  # 1 мая, с мая
    within: str  # prepositional: в мае


START_UP = "При запуске системы"
_FEW = (2, 3, 4, 22, 23, 24)
_SECOND = 2
_WEEKDAYS = (
    Weekday(
        "каждый понедельник", "любой понедельник", "понедельникам", "с понедельника", "понедельник"
    ),
    Weekday("каждый вторник", "любой вторник", "вторникам", "со вторника", "вторник"),
    Weekday("каждую среду", "любую среду", "средам", "со среды", "среду"),
    Weekday("каждый четверг", "любой четверг", "четвергам", "с четверга", "четверг"),
    Weekday("каждую пятницу", "любую пятницу", "пятницам", "с пятницы", "пятницу"),
    Weekday("каждую субботу", "любую субботу", "субботам", "с субботы", "субботу"),
    Weekday(
        "каждое воскресенье", "любое воскресенье", "воскресеньям", "с воскресенья", "воскресенье"
    ),
)
_MONTHS = (
    Month("январь", "января", "январе"),
    Month("февраль", "февраля", "феврале"),
    Month("март", "марта", "марте"),
    Month("апрель", "апреля", "апреле"),
    Month("май", "мая", "мае"),
    Month("июнь", "июня", "июне"),
    Month("июль", "июля", "июле"),
    Month("август", "августа", "августе"),
    Month("сентябрь", "сентября", "сентябре"),
    Month("октябрь", "октября", "октябре"),
    Month("ноябрь", "ноября", "ноябре"),
    Month("декабрь", "декабря", "декабре"),
)


def sentence(phrase: Phrase) -> str:
    """Return the sentence: dates first, then times ("1-го числа каждого месяца в 02:25")."""
    times, dates = phrase.times, phrase.dates
    when = _clock(times) if isinstance(times, ClockTimes) else _by_the_hour(times)
    if dates != Dates():
        pause = ", " if dates.days and dates.weekdays else " "
        return _capital(f"{_dates(dates)}{pause}{when}")
    if isinstance(times, ClockTimes):
        return _capital(f"каждый день {when}" if times.listed else f"{when}, ежедневно")
    return _capital(when if times.hours == EVERY_HOUR else f"{when}, ежедневно")


def _clock(times: ClockTimes) -> str:
    singles, stretches = singles_and_rest(times.series)
    parts = [f"в {_and([_time(moment) for moment in singles])}"] if singles else []
    for step, group in by_step(stretches):
        spans = [f"с {_time(one.first)} до {_time(one.last)}" for one in group]
        parts.append(f"{_every(step)} {_and(spans)}")
    return ", а также ".join(parts)


def _by_the_hour(times: HourlyTimes) -> str:
    hours = _hours(times.hours)
    if times.steady:
        every = _every(times.minutes[0].step)
        return every if times.hours == EVERY_HOUR else f"{every} {hours}"
    if times.minutes == ON_THE_HOUR and times.hours == EVERY_HOUR:
        return "в начале каждого часа"
    singles, stretches = singles_and_rest(times.minutes)
    parts = []
    if singles:
        named = _and([f"{minute}-й" for minute in singles])
        parts.append(f"на {named} {'минуте' if len(singles) == 1 else 'минутах'}")
    for step, group in by_step(stretches):
        spans = [f"{_since(one.first)}-й по {one.last}-ю минуту" for one in group]
        parts.append(f"{_every(step)} {_and(spans)}")
    return f"{', а также '.join(parts)}{', ' if parts[1:] else ' '}{hours}"


def _hours(series: Sequence[Series]) -> str:
    if series == EVERY_HOUR:
        return "каждого часа"
    if len(series) == 1:
        which = "каждого" if series[0].step == 1 else f"каждого {series[0].step}-го"
        return f"{which} часа с {series[0].first:02} по {series[0].last:02}"
    named = [f"{one.first:02}" + ("" if one.single else f"–{one.last:02}") for one in series]
    return f"в часы {_and(named)}"


def _every(step: int) -> str:
    hours, minutes = divmod(step, MINUTES_PER_HOUR)
    if minutes:
        form = _counted(minutes, "минуты", "минут")
        return "каждую минуту" if minutes == 1 else f"каждые {minutes} {form}"
    return "каждый час" if hours == 1 else f"каждые {hours} {_counted(hours, 'часа', 'часов')}"


def _counted(number: int, few: str, many: str) -> str:
    """Choose the noun's form after a number that does not end in one (21 is never a step)."""
    return few if number in _FEW else many


def _dates(dates: Dates) -> str:
    days, months, weekdays = dates.days, dates.months, dates.weekdays
    if dates.either:
        only = f", только {_within(months)}" if months else ""
        return f"{_list([_days(days), *_any_weekday(weekdays)], 'или')}{only}"
    if days and weekdays:
        return f"{_weekdays(weekdays)}, но только {_days(days)} {_of(months)}"
    if dates.single_date:
        return _date(*dates.single_date)
    if days:
        return f"{_days(days)} {_of(months)}"
    which = _weekdays(weekdays) if weekdays else "каждый день"
    return f"{which} {_within(months)}" if months else which


def _date(month: int, day: int) -> str:
    year = "високосный год" if (month, day) == LEAP_DAY else "год"
    return f"каждый {year} {day} {_MONTHS[month - 1].genitive}"


def _days(series: Sequence[Series]) -> str:
    if series in (ODD_DAYS, EVEN_DAYS):
        return "по нечётным числам" if series == ODD_DAYS else "по чётным числам"
    parts = []
    for one in series:
        span = f"{_since(one.first)}-го по {one.last}-е"
        if one.step > 1:
            parts.append(f"каждый {one.step}-й день {span}")
        else:
            parts.append(f"{one.first}-го" if one.single else span)
    return f"{_and(parts)} {'числа' if series[-1].single else 'число'}"


def _of(months: Sequence[Series]) -> str:
    if not months:
        return "каждого месяца"
    singles, spans = singles_and_rest(months)
    parts = [_and([_MONTHS[month - 1].genitive for month in singles])] if singles else []
    if spans:
        parts.append(f"каждого месяца {_and([_month_span(one) for one in spans])}")
    return ", а также ".join(parts)


def _within(months: Sequence[Series]) -> str:
    singles, spans = singles_and_rest(months)
    parts = [f"в {_and([_MONTHS[month - 1].within for month in singles])}"] if singles else []
    return ", а также ".join([*parts, *(_month_span(one) for one in spans)])


def _weekdays(series: Sequence[Series]) -> str:
    singles, spans = singles_and_rest(series)
    if len(series) == len(singles) == 1:
        return _WEEKDAYS[singles[0] - 1].each
    parts = [f"по {_and([_WEEKDAYS[day - 1].dative for day in singles])}"] if singles else []
    return ", а также ".join([*parts, *(_weekday_span(one) for one in spans)])


def _any_weekday(series: Sequence[Series]) -> list[str]:
    return [
        f"в {_WEEKDAYS[one.first - 1].any}" if one.single else f"в любой день {_weekday_span(one)}"
        for one in series
    ]


def _weekday_span(series: Series) -> str:
    return f"{_WEEKDAYS[series.first - 1].since} по {_WEEKDAYS[series.last - 1].until}"


def _month_span(series: Series) -> str:
    return f"с {_MONTHS[series.first - 1].genitive} по {_MONTHS[series.last - 1].accusative}"


def _since(number: int) -> str:
    """Begin a range with the preposition that an ordinal asks for: со 2-го, с 3-го."""
    return f"{'со' if number == _SECOND else 'с'} {number}"


def _time(moment: int) -> str:
    hour, minute = divmod(moment, MINUTES_PER_HOUR)
    return f"{hour:02}:{minute:02}"


def _and(parts: Sequence[str]) -> str:
    return _list(parts, "и")


def _list(parts: Sequence[str], conjunction: str) -> str:
    *most, last = parts
    return f"{', '.join(most)} {conjunction} {last}" if most else last


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
