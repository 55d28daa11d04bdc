"""Puts a new file in an old one's place in one step, and tells if the old one was changed."""

import ctypes
import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from billclock.scheduler.place import Ownership

_NOREPLACE = 1
_EXCHANGE = 2
_AT_FDCWD = -100
_UNSUPPORTED = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP)
_renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)


class Changed(Exception):  # noqa: N818 - told to the caller, who starts again
    """Another program changed the file between reading and saving; it is as that one left it."""


class Swap:
    """A new file, whole on disk beside the old one, or the wish to have none (`data` None)."""

    def __init__(self, path: Path, data: bytes | None, ownership: Ownership) -> None:
        self._path = path
        self._data = data
        # One name a table: what a killed process left is written over by the next one.
        self._beside = path.with_name(f".billclock.{path.name}")
        self._taken = False
        self._beside.unlink(missing_ok=True)
        if data is not None:
            _write(self._beside, data, ownership)

    def take(self, expected: bytes | None) -> None:
        """Put the new file in place; Changed where the old one is no longer `expected`.

        The two are exchanged, not one written over the other, so that what another program
        renamed there in the last microsecond comes out whole, is seen, and goes back.
        """
        self._taken = self._trade(expected)
        if not self._taken:
            raise Changed

    def undo(self) -> None:
        """Put the old file back, where `take` was reached; then drop the new one."""
        if self._taken:
            self._trade(self._data)
        self.clean()

    def clean(self) -> None:
        """Drop the file that is not in place, and make the folder's names last."""
        self._beside.unlink(missing_ok=True)
        _sync(self._path.parent)

    def _trade(self, expected: bytes | None) -> bool:
        """Exchange the file in place with the one beside it, if `expected` comes out.

        Whatever else comes out is newer than both and goes back, until nothing came between.
        """
        wanted = True
        while True:
            going_in = _content(self._beside)
            self._exchange()
            if _content(self._beside) == expected:
                return wanted
            expected = going_in
            wanted = not wanted

    def _exchange(self) -> None:
        while True:
            here, beside = os.path.lexists(self._path), os.path.lexists(self._beside)
            try:
                if here and beside:
                    return exchange(self._path, self._beside)
                if here:
                    return rename_new(self._path, self._beside)
                if beside:
                    return rename_new(self._beside, self._path)
            except (FileNotFoundError, FileExistsError):
                continue  # another program made or removed it since we looked
            return None


@contextmanager
def swapping(path: Path, data: bytes | None, ownership: Ownership) -> Iterator[Swap]:
    """Give a Swap for `path`; leaving by an exception leaves the old file in place."""
    swap = Swap(path, data, ownership)
    try:
        yield swap
    except BaseException:
        swap.undo()
        raise
    swap.clean()


def exchange(one: Path, other: Path) -> None:
    """Let two files change places in one step, or where the file system can't, in two.

    In two steps a third program's rename in the microseconds between would be lost.
    """
    if not _rename(one, other, _EXCHANGE):
        aside = one.with_name(f"{other.name}.aside")
        aside.unlink(missing_ok=True)
        os.link(one, aside)
        other.replace(one)
        aside.replace(other)


def rename_new(old: Path, new: Path) -> None:
    """Rename a file; FileExistsError where `new` is there already."""
    if not _rename(old, new, _NOREPLACE):
        os.link(old, new)
        old.unlink()


def _rename(old: Path, new: Path, flags: int) -> bool:
    """Call renameat2(2); False where the kernel or the file system does not know `flags`."""
    names = os.fsencode(old), os.fsencode(new)
    if _renameat2 is None:
        return False
    if _renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], flags) == 0:
        return True
    number = ctypes.get_errno()
    if number in _UNSUPPORTED:
        return False
    raise OSError(number, os.strerror(number), str(new))


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _write(path: Path, data: bytes, ownership: Ownership) -> None:
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with open(fd, "wb") as file:  # noqa: PTH123 - of a descriptor
            file.write(data)
            file.flush()
            found = os.fstat(fd)
            if (found.st_uid, found.st_gid) != (ownership.uid, ownership.gid):
                os.fchown(fd, ownership.uid, ownership.gid)
            os.fchmod(fd, ownership.mode)
            os.fsync(fd)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _sync(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
