"""Which table a command works on, and whether this person may."""

import os
import pwd

from django.conf import settings

from billclock.commands.errors import CommandError, UsageError
from billclock.scheduler.table import Table
from billclock.scheduler.tables import Tables

MAIN = "root"


def table_of(user: str | None) -> Table:
    """Give a user's table; without a name the caller's as root, else the main one.

    Raise UsageError for what is no user's name, CommandError where only root may.
    """
    name = MAIN if user is None and os.geteuid() != 0 else user or _caller()
    if os.geteuid() != 0 and name not in (MAIN, _caller()):
        raise CommandError(f"only root may choose another's table (-u {name})")
    try:
        table = Tables().table(name)
    except ValueError as error:
        raise UsageError(f"-u: {error}") from None
    if table.place.flavour.checked and not table.place.system:
        _check_user(name)
    return table


def _caller() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def _check_user(name: str) -> None:
    try:
        pwd.getpwnam(name)
    except KeyError:
        raise UsageError(
            f"-u: this machine has no user {name}, and {settings.SPOOL} is for its users"
        ) from None
