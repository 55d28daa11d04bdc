"""Moments, distances, durations and sizes as a reader says them, in his language."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil
from zoneinfo import ZoneInfo

from django.utils.formats import date_format, number_format
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from billclock import clock

MINUTE, HOUR, DAY = 60, 3600, 86400
A_TENTH = 0.095  # seconds, below which there is nothing before the second figure
SAME_YEAR = 300  # days beyond which a day and month may be of either year


@dataclass(frozen=True)
class Wall:
    """The clock on the server's wall: `now` is an aware moment in its `zone`."""

    now: datetime
    zone: ZoneInfo

    @classmethod
    def here(cls) -> "Wall":
        """Look at it."""
        zone = clock.server_zone()
        return cls(clock.now().astimezone(zone), zone)

    @property
    def offset(self) -> str:
        """Give the distance from UTC, such as +02:00."""
        return self.now.isoformat()[-6:]

    @property
    def time(self) -> str:
        """Give the time of day as in "21:04:27"."""
        return f"{self.now:%H:%M:%S}"

    @property
    def day(self) -> str:
        """Give the date as in "Sat 24 Oct"."""
        return date_format(self.now, "D j M")

    def when(self, moment: datetime) -> str:
        """Say a moment by its day: "Today 21:05", "Sun 1 Nov 02:25", "1 Nov 2031 02:25"."""
        local = moment.astimezone(self.zone)
        days = (local.date() - self.now.date()).days
        near = {-1: _("Yesterday"), 0: _("Today"), 1: _("Tomorrow")}.get(days)
        if near is None:
            near = date_format(local, "D j M" if abs(days) < SAME_YEAR else "j M Y")
        return f"{near} {local:%H:%M}"

    def within(self, moment: datetime) -> str:
        """Say a moment as `when` does, to stand within a sentence: "today 21:05"."""
        said = self.when(moment)
        near = (_("Yesterday"), _("Today"), _("Tomorrow"))
        return said[:1].lower() + said[1:] if small_days() or said.startswith(near) else said

    def exactly(self, moment: datetime) -> str:
        """Say a moment to the second with its offset: "2026-10-24 21:04:27 +02:00"."""
        local = moment.astimezone(self.zone)
        return f"{local:%Y-%m-%d %H:%M:%S} {local.isoformat()[-6:]}"

    def distance(self, moment: datetime) -> str:
        """Say how far a moment is from now: "in 4 min", "in 3 h 55 min", "5 min ago"."""
        # by UTC: two moments of one zone are subtracted as wall times, clock changes unseen
        seconds = (moment.astimezone(UTC) - self.now.astimezone(UTC)).total_seconds()
        if seconds >= 0:
            return _("in %(span)s") % {"span": span(seconds)}
        return _("%(span)s ago") % {"span": span(-seconds)}


def small_days() -> bool:
    """Tell whether the reader's language writes the names of days small within a sentence."""
    return (get_language() or "").startswith("ru")


def span(seconds: float) -> str:
    """Say a distance in time by its one or two largest units that matter, none of them empty."""
    if seconds < MINUTE:
        return _("%d s") % seconds
    if seconds < HOUR:
        return _("%d min") % (seconds // MINUTE)
    if seconds < 2 * DAY:
        hours, minutes = divmod(int(seconds) // MINUTE, 60)
        if not minutes:
            return _("%d h") % hours
        return _("%(hours)d h %(minutes)d min") % {"hours": hours, "minutes": minutes}
    days = int(seconds // DAY)
    return ngettext("%d day", "%d days", days) % days


def duration(length: timedelta | float) -> str:
    """Say how long something took: "8 ms", "0.3 s", "29 s", "1 min 21 s", "2 h 5 min"."""
    seconds = length.total_seconds() if isinstance(length, timedelta) else length
    if 0 < seconds < A_TENTH:
        return _("%d ms") % ceil(1000 * seconds)
    tenths = round(max(seconds, 0.0), 1)
    if tenths < 10:  # noqa: PLR2004 - tenths stop to matter there
        return _("%s s") % number_format(tenths, 1)
    whole = round(seconds)  # first: what rounds up to a minute is said as one
    if whole < MINUTE:
        return _("%d s") % whole
    minutes, rest = divmod(whole, MINUTE)
    if whole < HOUR and rest:
        return _("%(minutes)d min %(seconds)d s") % {"minutes": minutes, "seconds": rest}
    return span(whole)
