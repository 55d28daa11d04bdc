"""`billclock prepare`: folder, key, databases and command scripts, made where missing."""

import os
import pwd
import secrets
import stat
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from billclock.commands import scripts
from billclock.commands.errors import DONE, UsageError
from billclock.commands.loading import django, read_settings

SECRET_KEY = "BILLCLOCK_SECRET_KEY"  # noqa: S105 - a variable's name
OTHER_FOLDER = "name another folder with BILLCLOCK_HOME"


def run(_args: Namespace) -> int:
    """Prepare, and say nothing of it."""
    prepare()
    return DONE


def prepare() -> None:
    """Make whatever a start needs and does not find; the second time it is quick.

    Raise UsageError saying what to do where it can't be made.
    """
    ready()
    scripts.refresh()


def ready() -> None:
    """Set Django up on a folder with a key and databases of this version."""
    read_settings()
    from django.conf import settings

    with _writing(settings.HOME):
        for folder in (settings.HOME / "locks", settings.DATA, settings.RUN_OUTPUTS):
            settings.HOME.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.mkdir(mode=0o700, exist_ok=True)
        _refuse_anothers(settings.HOME)
        made = _make_key(settings.HOME / "secret_key")
    if made:
        settings.SECRET_KEY = made
    django()
    from billclock.commands import databases

    with _writing(settings.HOME):
        databases.bring_up_to_date(settings.HOME)
        if settings.WEB_USER:
            _open_to(settings.WEB_USER)


def _refuse_anothers(home: Path) -> None:
    """Refuse, as root, a folder in which somebody else could write what root then runs."""
    owner = home.stat().st_uid
    if os.geteuid() == 0 and owner != 0:
        mend = f"chown -R root {home}, start Billclock as that user, or {OTHER_FOLDER}"
        raise UsageError(f"{home} belongs to the user {owner}, whose jobs root would run: {mend}")


def _open_to(user: str) -> None:
    """Let the web process's user reach what it needs: databases to write, outputs to read.

    The folder of databases is sticky, so that he can make files there and take none away; nothing
    else of the home folder can be changed by him.
    """
    from django.conf import settings

    try:
        group = pwd.getpwnam(user).pw_gid
    except KeyError:
        mend = f"add the user {user} or unset BILLCLOCK_WEB_USER"
        raise UsageError(f"this machine has no user {user}: {mend}") from None
    modes = {settings.HOME: 0o710, settings.DATA: 0o3770, settings.RUN_OUTPUTS: 0o2750}
    modes |= dict.fromkeys(settings.DATA.glob("*.sqlite3*"), 0o660)
    for place, mode in modes.items():
        _give(place, group, mode)


def _give(place: Path, group: int, mode: int) -> None:
    """Give a file or folder to a group, and no other that a link leads to.

    The web user may make files in `data`: a link there would give him any file of the machine.
    Raise UsageError for one.
    """
    try:
        # a path alone: closing a file that SQLite has open would drop its locks (fcntl(2))
        descriptor = os.open(place, os.O_PATH | os.O_NOFOLLOW)
    except FileNotFoundError:  # a journal, which went with its last reader
        return
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISDIR(found.st_mode) and (
            not stat.S_ISREG(found.st_mode) or found.st_nlink > 1
        ):
            raise UsageError(f"{place} is a link, which Billclock never makes: remove it")
        opened = f"/proc/self/fd/{descriptor}"
        os.chown(opened, -1, group)
        os.chmod(opened, mode)  # noqa: PTH101 - of what is open
    finally:
        os.close(descriptor)


def _make_key(place: Path) -> str | None:
    """Make the key that signs sessions where there is none, and give it; None where there is one.

    Of two processes at once the first one's key stays, and both use it.
    """
    if place.exists() or os.environ.get(SECRET_KEY) or os.environ.get(f"{SECRET_KEY}_FILE"):
        return None
    beside = place.with_name(f".secret_key.{os.getpid()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(48))
            file.flush()
            os.fsync(descriptor)
        if not place.exists():
            os.link(beside, place)
    except FileExistsError:
        pass
    finally:
        beside.unlink(missing_ok=True)
    return place.read_text(encoding="ascii")


@contextmanager
def _writing(home: Path) -> Iterator[None]:
    """Say in one sentence what to do where the folder can't be written."""
    try:
        yield
    except PermissionError as error:
        mend = f"give this user the right to, or {OTHER_FOLDER}"
        raise UsageError(f"can't write {error.filename}: {mend}") from None
    except OSError as error:
        mend = f"see df -h {home.parent} and ls -ld {home}, or {OTHER_FOLDER}"
        raise UsageError(
            f"can't write {error.filename or home}, {error.strerror}: {mend}"
        ) from None
