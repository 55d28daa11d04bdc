"""The environment a job finds: as cron gives it, with the table's assignments on top."""

import os
import pwd
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings

SHELL = "/bin/sh"
PATH = "/usr/bin:/bin"
ROOT = "root"
FIXED = ("LOGNAME", "USER")


@dataclass(frozen=True, slots=True)
class Account:
    """A user of the system for whom jobs run; `switch` is his name when it is not our own."""

    name: str
    home: str
    switch: str | None


class UnknownUserError(LookupError):
    """A table or a system entry names a user whom this machine does not know."""

    def __init__(self, name: str) -> None:
        super().__init__(f"this machine has no user {name}: add it, or remove its jobs")


class RefusedUserError(UnknownUserError):
    """An entry asks for a user as whom it may not run; the text says why and what to do."""

    def __init__(self, why: str) -> None:
        LookupError.__init__(self, why)


def refusal(table: str, wish: str) -> str:
    """Say why an entry of a table may not run as the user it asks for; empty where it may.

    It may in root's table, and where the daemon, whom its socket belongs to, is root.
    """
    if "/" in table:
        return "the user column of a system table says who runs it: remove user="
    if table not in (ROOT, wish):
        return "only root's table runs jobs as other users: remove user=, or move the job there"
    try:
        found = pwd.getpwnam(wish).pw_uid
    except (KeyError, ValueError):
        return f"this machine has no user {wish}: correct user= or add the user"
    if found != (daemon := _daemon()) and daemon != 0:
        return "only a daemon that is root runs jobs as other users: start Billclock as root"
    return ""


def _daemon() -> int:
    """Give the user id of the daemon, or of ourselves where none has opened its socket."""
    try:
        return settings.CONTROL_SOCKET.stat().st_uid
    except OSError:
        return os.geteuid()


@lru_cache(maxsize=1024)
def account(name: str) -> Account:
    """Look a table's user up; without the right to switch users everything runs as ourselves."""
    own = pwd.getpwuid(os.geteuid())
    if own.pw_uid != 0 or name == own.pw_name:
        return Account(own.pw_name, own.pw_dir, None)
    try:
        found = pwd.getpwnam(name)
    except KeyError:
        raise UnknownUserError(name) from None
    return Account(found.pw_name, found.pw_dir, found.pw_name)


def environment(assigned: Mapping[str, str], owner: Account) -> dict[str, str]:
    """Give a job's variables; LOGNAME and USER can't be assigned (crontab(5))."""
    return {
        "SHELL": SHELL,
        "PATH": PATH,
        "HOME": owner.home,
        "BILLCLOCK_HOME": str(settings.HOME),
        **{name: value for name, value in assigned.items() if name not in FIXED},
        "LOGNAME": owner.name,
        "USER": owner.name,
    }
