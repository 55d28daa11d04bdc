"""Tells that a table may have changed, by a descriptor that a selector waits for (inotify(7))."""

import ctypes
import os
import struct
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

# Attributes changed, closed after writing, moved away or here, made, removed. Not "written": a
# table counts when its writer closes it, so that a half-written one is not run.
_EVENTS = 0x4 | 0x8 | 0x40 | 0x80 | 0x100 | 0x200
_MOVED = 0x800
_OVERFLOW = 0x4000
_UNWATCHED = 0x8000
_HEADER = struct.Struct("iIII")
_ROOM = 65536
_libc = ctypes.CDLL(None, use_errno=True)


class Watch:
    """A descriptor that becomes readable when something happens to files of some folders."""

    def __init__(self, folders: Mapping[Path, frozenset[str]]) -> None:
        """Watch folders, in each the files of some names, or if there are none, all tables.

        Raises OSError where the system has no such watches, or has none left.
        """
        self._folders = folders
        self._fd = _checked(_libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
        self._watched: dict[int, Path] = {}
        self._add()

    def fileno(self) -> int:
        """Give the descriptor."""
        return self._fd

    def close(self) -> None:
        """Stop watching."""
        os.close(self._fd)

    def drain(self) -> bool:
        """Take what the descriptor holds; tell whether a table may have changed."""
        changed = False
        for watch, mask, name in self._events():
            if mask & _UNWATCHED:
                self._watched.pop(watch, None)
            changed = changed or self._counts(watch, mask, name)
        return changed

    def _counts(self, watch: int, mask: int, name: str) -> bool:
        if mask & (_MOVED | _OVERFLOW | _UNWATCHED) or watch not in self._watched:
            return True
        only = self._folders[self._watched[watch]]
        return name in only if only else not name.startswith(".")

    def _events(self) -> Iterator[tuple[int, int, str]]:
        while True:
            try:
                data = os.read(self._fd, _ROOM)
            except BlockingIOError:
                return
            at = 0
            while at < len(data):
                watch, mask, _, length = _HEADER.unpack_from(data, at)
                at += _HEADER.size + length
                yield watch, mask, os.fsdecode(data[at - length : at].rstrip(b"\0"))

    def renew(self) -> None:
        """Watch folders that were made anew; one that can't be watched any more is left out."""
        with suppress(OSError):
            self._add()

    def _add(self) -> None:
        for folder in self._folders:
            try:
                watch = _libc.inotify_add_watch(self._fd, os.fsencode(folder), _EVENTS | _MOVED)
                self._watched[_checked(watch)] = folder
            except FileNotFoundError:
                continue


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
