"""Sessions kept in a table of ours, so that a user can see where he is signed in and end it."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.http import HttpRequest

from billclock import clock
from billclock.accounts.models import Session, User

LOOK_EVERY = timedelta(minutes=1)
"""Time between two notes of when a session was used."""


@dataclass(frozen=True)
class Use:
    """Since when a session is used, when it was last, from which address and by what browser."""

    since: datetime
    seen: datetime
    address: str = ""
    agent: str = ""


class SessionStore(DatabaseStore):
    """Django's store over our table, whose rows also say how a session is used."""

    use: Use | None = None

    @classmethod
    def get_model_class(cls) -> type[Session]:
        """Name the table."""
        return Session

    def _get_session_from_db(self) -> Session | None:
        row: Session | None = super()._get_session_from_db()  # type: ignore[misc]
        if row is not None:
            self.use = Use(row.since, row.seen, row.address, row.agent)
        return row

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        """Make the row of a session from its data and its use."""
        row: Session = super().create_model_instance(data)  # type: ignore[assignment]
        use = self.use or Use(clock.now(), clock.now())
        row.user_id = int(data[SESSION_KEY]) if SESSION_KEY in data else None
        row.since, row.seen, row.address, row.agent = use.since, use.seen, use.address, use.agent
        return row


def begin(request: HttpRequest) -> None:
    """Write down that somebody signed in, and let go of sessions that are over."""
    if isinstance(request.session, SessionStore):
        now = clock.now()
        request.session.use = Use(now, now, _address(request), _agent(request))
    Session.objects.filter(expire_date__lt=clock.now()).delete()


def see(request: HttpRequest) -> None:
    """Write down when and whence a session is used, if that is news.

    Only these columns are written: a page that refreshes itself must not bring back the data that
    it read before another request changed them.
    """
    store, now = request.session, clock.now()
    if not isinstance(store, SessionStore) or store.use is None:
        return
    moved = store.use.address != _address(request)
    if not moved and timedelta() <= now - store.use.seen < LOOK_EVERY:
        return
    store.use = replace(store.use, seen=now, address=_address(request), agent=_agent(request))
    Session.objects.filter(session_key=store.session_key).update(
        seen=now, address=store.use.address, agent=store.use.agent
    )


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


def _agent(request: HttpRequest) -> str:
    return str(request.META.get("HTTP_USER_AGENT", ""))[:256]


def _address(request: HttpRequest) -> str:
    return (request.META.get("REMOTE_ADDR") or "")[:64]
