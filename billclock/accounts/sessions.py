"""Sessions kept in a table of ours, so that a user can see where he is signed in and end it."""

from datetime import UTC, datetime
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.http import HttpRequest

from billclock import clock
from billclock.accounts.models import Session, User

LOOK_EVERY = 60.0
"""Seconds between two notes of when a session was used."""


class SessionStore(DatabaseStore):
    """Django's store over our table; what the table shows is kept in the session's own data."""

    @classmethod
    def get_model_class(cls) -> type[Session]:
        """Name the table."""
        return Session

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        """Make the row of a session from its data."""
        row: Session = super().create_model_instance(data)  # type: ignore[assignment]
        now = clock.seconds()
        row.user_id = int(data[SESSION_KEY]) if SESSION_KEY in data else None
        row.since = datetime.fromtimestamp(data.get("since", now), UTC)
        row.seen = datetime.fromtimestamp(data.get("seen", now), UTC)
        row.address, row.agent = data.get("address", ""), data.get("agent", "")
        return row


def begin(request: HttpRequest) -> None:
    """Write down that somebody signed in, and let go of sessions that are over."""
    request.session["since"] = clock.seconds()
    _look(request)
    Session.objects.filter(expire_date__lt=clock.now()).delete()


def see(request: HttpRequest) -> None:
    """Write down when and whence a session is used, if that is news."""
    seen = request.session.get("seen", 0.0)
    moved = request.session.get("address") != _address(request)
    if moved or not 0 <= clock.seconds() - seen < LOOK_EVERY:
        _look(request)


def of(user: User) -> list[Session]:
    """Give a user's sessions, the one used last first."""
    return list(Session.objects.filter(user=user, expire_date__gt=clock.now()).order_by("-seen"))


def end(user: User, handle: str) -> Session | None:
    """End one of a user's sessions, and give it; None where there is none of that handle."""
    found = next((session for session in of(user) if session.handle == handle), None)
    if found is not None:
        found.delete()
    return found


def end_all(user: User, *, but: SessionBase | None = None) -> int:
    """End all sessions of a user except one; give how many there were."""
    kept = but.session_key if but is not None else None
    return Session.objects.filter(user=user).exclude(session_key=kept or "").delete()[0]


def _look(request: HttpRequest) -> None:
    request.session["seen"] = clock.seconds()
    request.session["address"] = _address(request)
    request.session["agent"] = request.META.get("HTTP_USER_AGENT", "")[:256]


def _address(request: HttpRequest) -> str:
    return (request.META.get("REMOTE_ADDR") or "")[:64]
