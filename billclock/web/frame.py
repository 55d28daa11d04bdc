"""What every page shows around its own matter: server time, engine, theme, where one may go."""

from functools import cached_property
from typing import Any

from django.http import HttpRequest

from billclock.web import crontabs
from billclock.web.access import signed_in
from billclock.web.engine import Engine, engine
from billclock.web.engine_start import may_start
from billclock.web.rooms import Room, family, rooms, tabs
from billclock.web.times import Wall

THEMES = ("auto", "light", "dark")
THEME_COOKIE = "billclock-theme"


class Frame:
    """The frame of one page; what a page does not show is never looked up."""

    def __init__(self, request: HttpRequest) -> None:
        """Begin with nothing looked up."""
        self._request = request

    @cached_property
    def wall(self) -> Wall:
        """Give the server's time and zone."""
        return Wall.here()

    @cached_property
    def engine(self) -> Engine:
        """Give the daemon's state."""
        return engine(self.wall.now)

    @cached_property
    def jobs(self) -> int:
        """Count the jobs that the tab of jobs leads to from a page of all tables."""
        return crontabs.jobs_of_first(signed_in(self._request))

    @property
    def engine_detail(self) -> str:
        """Give the line below the daemon's state."""
        return self.engine.detail(self.wall)

    @property
    def may_start(self) -> bool:
        """Tell whether the user may start the daemon from here."""
        return may_start(self._request.user)

    @property
    def milliseconds(self) -> int:
        """Give the server's time as JavaScript counts it."""
        return int(self.wall.now.timestamp() * 1000)

    @property
    def hour_angle(self) -> float:
        """Give the degrees of the clock's hour hand."""
        return (self.wall.now.hour * 60 + self.wall.now.minute) / 2 % 360

    @property
    def minute_angle(self) -> float:
        """Give the degrees of the clock's minute hand."""
        return self.wall.now.minute * 6

    @property
    def theme(self) -> str:
        """Give the theme chosen in this browser."""
        chosen = self._request.COOKIES.get(THEME_COOKIE, "")
        return chosen if chosen in THEMES else THEMES[0]

    @cached_property
    def rooms(self) -> list[Room]:
        """Give where one may go."""
        return rooms(self._request)

    @property
    def room(self) -> Room | None:
        """Give the room one is in; None outside of all."""
        return next((room for room in self.rooms if room.current), None)

    @cached_property
    def tabs(self) -> list[Room]:
        """Give the sections beside the one that is shown, and itself."""
        return tabs(self._request)

    @cached_property
    def family(self) -> list[Room]:
        """Give the sections that share a tab with the one that is shown, and itself."""
        return family(self._request)


def frame(request: HttpRequest) -> dict[str, Any]:
    """Give every template its `frame` (a context processor)."""
    return {"frame": Frame(request)}
