"""The English sentence for a phrase."""

from __future__ import annotations

from collections.abc import Sequence

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

START_UP = "At start-up"
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_ORDINAL_ENDINGS = {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd", 31: "st"}


def sentence(phrase: Phrase) -> str:
    """Return the sentence: times first, then dates ("At 02:25 on the 1st of every month")."""
    times, dates = phrase.times, phrase.dates
    if isinstance(times, ClockTimes):
        when = _clock(times)
        if times.listed:
            return _capital(f"every day {when}" if dates == Dates() else f"{when} {_dates(dates)}")
    else:
        when = _by_the_hour(times)
        if times.hours == EVERY_HOUR and dates == Dates():
            return _capital(when)
    return _capital(f"{when}, {_dates(dates)}")


def _clock(times: ClockTimes) -> str:
    singles, stretches = singles_and_rest(times.series)
    parts = [f"at {_and([_time(moment) for moment in singles])}"] if singles else []
    for step, group in by_step(stretches):
        spans = [f"from {_time(one.first)} to {_time(one.last)}" for one in group]
        parts.append(f"{_every(step)} {_and(spans)}")
    return ", and ".join(parts)


def _by_the_hour(times: HourlyTimes) -> str:
    minutes, hours = times.minutes, _hours(times.hours)
    if times.steady:
        every = _every(minutes[0].step)
        return every if times.hours == EVERY_HOUR else f"{every} in {hours}"
    if minutes == ON_THE_HOUR and times.hours == EVERY_HOUR:
        return "every hour on the hour"
    singles, stretches = singles_and_rest(minutes)
    if not stretches:
        return f"at {_and(singles)} {'minute' if singles == [1] else 'minutes'} past {hours}"
    parts = [f"at {_and([f':{minute:02}' for minute in singles])}"] if singles else []
    for step, group in by_step(stretches):
        spans = [f"from :{one.first:02} to :{one.last:02}" for one in group]
        parts.append(f"{_every(step)} {_and(spans)}")
    return f"{', and '.join(parts)}{', ' if parts[1:] else ' '}in {hours}"


def _hours(series: Sequence[Series]) -> str:
    if series == EVERY_HOUR:
        return "every hour"
    if len(series) == 1:
        which = "hour" if series[0].step == 1 else f"{_ordinal(series[0].step)} hour"
        return f"every {which} from {series[0].first:02} to {series[0].last:02}"
    named = [f"{one.first:02}" + ("" if one.single else f"–{one.last:02}") for one in series]
    return f"the hours {_and(named)}"


def _every(step: int) -> str:
    hours, minutes = divmod(step, MINUTES_PER_HOUR)
    count, unit = (hours, "hour") if minutes == 0 else (minutes, "minute")
    return f"every {unit}" if count == 1 else f"every {count} {unit}s"


def _dates(dates: Dates) -> str:
    days, months, weekdays = dates.days, dates.months, dates.weekdays
    if dates.either:
        only = f", {_in(months)} only" if months else ""
        return f"on {_days(days)} or on any {_any_weekday(weekdays)}{only}"
    if days and weekdays:
        return f"on {_weekdays(weekdays)} that fall on {_days(days)} {_of(months, 'the month')}"
    if dates.single_date:
        return _date(*dates.single_date)
    if days:
        return f"on {_days(days)} {_of(months, 'every month')}"
    if weekdays:
        lone_span = len(weekdays) == 1 and not weekdays[0].single
        which = (
            f"from {_span(weekdays[0], _WEEKDAYS)}" if lone_span else f"on {_weekdays(weekdays)}"
        )
        return f"{which} {_in(months)}" if months else which
    return f"every day {_in(months)}" if months else "every day"


def _date(month: int, day: int) -> str:
    year = "leap year" if (month, day) == LEAP_DAY else "year"
    return f"every {year} on {day} {_MONTHS[month - 1]}"


def _days(series: Sequence[Series]) -> str:
    if series in (ODD_DAYS, EVEN_DAYS):
        return "odd days" if series == ODD_DAYS else "even days"
    parts = []
    for one in series:
        first, last = _ordinal(one.first), _ordinal(one.last)
        if one.step > 1:
            parts.append(f"every {_ordinal(one.step)} day from the {first} to the {last}")
        else:
            parts.append(first if one.single else f"{first} to {last}")
    return _and(parts) if series[0].step > 1 else f"the {_and(parts)}"


def _of(months: Sequence[Series], all_of_them: str) -> str:
    if not months:
        return f"of {all_of_them}"
    singles, spans = singles_and_rest(months)
    parts = [f"of {_and([_MONTHS[month - 1] for month in singles])}"] if singles else []
    if spans:
        named = [f"from {_span(one, _MONTHS)}" for one in spans]
        parts.append(f"of every month {_and(named)}")
    return ", and ".join(parts)


def _in(months: Sequence[Series]) -> str:
    singles, spans = singles_and_rest(months)
    parts = [f"in {_and([_MONTHS[month - 1] for month in singles])}"] if singles else []
    return ", and ".join([*parts, *(f"from {_span(one, _MONTHS)}" for one in spans)])


def _weekdays(series: Sequence[Series]) -> str:
    plural = [f"{day}s" for day in _WEEKDAYS]
    return _and([plural[one.first - 1] if one.single else _span(one, plural) for one in series])


def _any_weekday(series: Sequence[Series]) -> str:
    singles, spans = singles_and_rest(series)
    names = [_WEEKDAYS[day - 1] for day in singles]
    return _list([*names, *(f"day from {_span(one, _WEEKDAYS)}" for one in spans)], "or")


def _span(series: Series, names: Sequence[str]) -> str:
    return f"{names[series.first - 1]} to {names[series.last - 1]}"


def _time(moment: int) -> str:
    hour, minute = divmod(moment, MINUTES_PER_HOUR)
    return f"{hour:02}:{minute:02}"


def _ordinal(number: int) -> str:
    return f"{number}{_ORDINAL_ENDINGS.get(number, 'th')}"


def _and(parts: Sequence[object]) -> str:
    return _list(parts, "and")


def _list(parts: Sequence[object], conjunction: str) -> str:
    *most, last = map(str, parts)
    return f"{', '.join(most)} {conjunction} {last}" if most else last


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
