"""Where one crontab lies, whose the file is, and what it must be like for cron to run it."""

import grp
import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

from billclock.scheduler.errors import Failed, Ignored


@dataclass(frozen=True)
class Flavour:
    """How one kind of spool keeps its files.

    `checked` says that names are users of this machine and files must be as its cron wants them:
    of the mode bits in `mask` exactly those in `bits`. New files get `group`, else the user's own.
    `headed` files begin with the three lines of Debian's crontab(1).
    """

    name: str
    checked: bool
    mask: int = 0
    bits: int = 0
    group: str = ""
    headed: bool = False


OWN = Flavour("own", checked=False)
# cronie's database.c, and cron(8) there.
RED_HAT = Flavour("Red Hat", checked=True, mask=0o7533, bits=0o400)
# database.c and crontab.c of Debian's cron 3.0pl1.
DEBIAN = Flavour("Debian", checked=True, mask=0o7777, bits=0o600, group="crontab", headed=True)


@dataclass(frozen=True)
class Ownership:
    """Who owns a file, and its permission bits."""

    uid: int
    gid: int
    mode: int = 0o600


@dataclass(frozen=True)
class Place:
    """Where one table lies; `system` tables have a user column and are only read."""

    name: str
    path: Path
    flavour: Flavour
    system: bool = False

    def read(self) -> tuple[bytes, Ownership] | None:
        """Give the file's bytes and who owns it, or None where there is no file.

        Raises Ignored for a file that cron would not run, Failed where it can't be read.
        """
        flags = os.O_RDONLY | os.O_NONBLOCK | (0 if self.system else os.O_NOFOLLOW)
        try:
            if self.path.is_symlink():
                self._check_link()
            return self._read(os.open(self.path, flags))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Failed.from_system(error, self.path, "read") from error

    def new_file(self) -> Ownership:
        """Say whose a new file is, as the flavour's own crontab(1) makes it; raises Ignored."""
        if not self.flavour.checked:
            return Ownership(os.geteuid(), os.getegid())
        user = self._user()
        try:
            gid = grp.getgrnam(self.flavour.group).gr_gid if self.flavour.group else user.pw_gid
        except KeyError:
            gid = user.pw_gid
        return Ownership(user.pw_uid, gid)

    def problem(self) -> Ignored | Failed | None:
        """Say why the table is not run, or None."""
        try:
            self.read()
        except (Ignored, Failed) as problem:
            return problem
        return None

    def _read(self, fd: int) -> tuple[bytes, Ownership]:
        try:
            found = os.fstat(fd)
            self._check(found)
            with open(fd, "rb", closefd=False) as file:
                return file.read(), Ownership(found.st_uid, found.st_gid, found.st_mode & 0o7777)
        finally:
            os.close(fd)

    def _check_link(self) -> None:
        if not self.system:
            raise Ignored(self.path, "a symbolic link", f"cp --remove-destination "
                          f"$(readlink -f {self.path}) {self.path}")  # fmt: skip
        if self.path.lstat().st_uid != 0:
            raise Ignored(self.path, "a link that is not root's", f"chown -h root {self.path}")

    def _check(self, found: os.stat_result) -> None:
        if not stat.S_ISREG(found.st_mode):
            raise Ignored(self.path, "not a regular file", f"mv {self.path} {self.path}.away")
        if self.system:
            self._check_owner(found, "root", 0)
            self._check_mode(found, 0o022, 0, "go-w")
        elif self.flavour.checked:
            self._check_owner(found, self.name, self._user().pw_uid)
            self._check_mode(found, self.flavour.mask, self.flavour.bits, "600")
        else:
            return
        if found.st_nlink != 1:
            mend = f"find / -xdev -samefile {self.path}"
            raise Ignored(self.path, f"it has {found.st_nlink} names (hard links)", mend)

    def _user(self) -> pwd.struct_passwd:
        try:
            return pwd.getpwnam(self.name)
        except KeyError:
            mend = f"crontab tables are named after users, mv {self.path} elsewhere"
            raise Ignored(self.path, "no user has this name", mend) from None

    def _check_owner(self, found: os.stat_result, name: str, uid: int) -> None:
        if found.st_uid not in (0, uid):
            why = f"its owner is {found.st_uid} and not {name}"
            raise Ignored(self.path, why, f"chown {name} {self.path}")

    def _check_mode(self, found: os.stat_result, mask: int, bits: int, mend: str) -> None:
        if found.st_mode & mask != bits:
            why = f"its mode is {found.st_mode & 0o7777:04o}"
            raise Ignored(self.path, why, f"chmod {mend} {self.path}")
