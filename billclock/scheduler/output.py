"""A run's output on disk: its first 256 KiB and last 768 KiB, readable while it grows.

A child appends to its file and never waits for anybody. While the file grows, the middle is given
back to the disk by punching a hole, so the file's own size goes on telling how much was printed.
At the end, or where the file system can't punch, the file is squeezed in place into head, a line
that says how much was left out, and tail. Offsets always count the bytes the run printed: a reader
that polls meanwhile notices nothing but the gap. (A job that opens /dev/stdout anew with `>` cuts
its own file, as it would with any output sent to a file.)
"""

import ctypes
import errno
import fcntl
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from django.conf import settings

HEAD = 256 * 1024
TAIL = 768 * 1024
SLACK = 4 * 1024 * 1024
_BLOCK = 64 * 1024
_A_FOLDER = 1000
_MARKER = b"\n[Billclock left out %20d bytes here]\n"
_MARKER_SIZE = len(_MARKER % 0)
_MARKED = re.compile(rb"\n\[Billclock left out +(\d+) bytes here\]\n")
# A command may print such a line itself, just where ours would stand: what it then says of its own
# output is its own affair, but a number that no column and no offset can hold is everybody's.
_MOST_LEFT_OUT = 10**13
_PUNCH_HOLE_KEEP_SIZE = 0x02 | 0x01
_libc = ctypes.CDLL(None, use_errno=True)
_libc.fallocate.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)


class Chunk(NamedTuple):
    """A piece of output: `left_out` bytes were dropped before `data`; go on reading at `next`."""

    data: bytes
    next: int
    left_out: int


def path(run: int) -> Path:
    """Give the place of a run's output."""
    return Path(settings.RUN_OUTPUTS) / str(run // _A_FOLDER) / f"{run}.log"


def create(place: Path) -> int:
    """Open an empty file at `place` for appending and give its descriptor; raise OSError."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_TRUNC
    # a web process of another user reads by its group, which the folder hands down
    shared = 0o040 if settings.WEB_USER else 0
    try:
        return os.open(place, flags, 0o600 | shared)
    except FileNotFoundError:
        place.parent.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        place.parent.mkdir(mode=0o750 if shared else 0o700, exist_ok=True)
        return os.open(place, flags, 0o600 | shared)


def write_all(run: int, data: bytes) -> None:
    """Write a run's whole output at once, shortened as any other."""
    with os.fdopen(create(path(run)), "wb") as file:
        file.write(data)
    close(path(run))


def size(run: int) -> int:
    """Give how many bytes the run has printed, kept or not; 0 where there is no file."""
    try:
        file = os.open(path(run), os.O_RDONLY)
    except FileNotFoundError:
        return 0
    try:
        return _printed(file)
    finally:
        os.close(file)


def disk_size(run: int) -> int:
    """Give how many bytes of disk the run's output takes; 0 where there is no file."""
    try:
        return path(run).stat().st_blocks * 512
    except FileNotFoundError:
        return 0


def remove(runs: Iterable[int]) -> int:
    """Delete the outputs of `runs` and give the bytes of disk that came free."""
    freed = 0
    folders = set()
    for run in runs:
        freed += disk_size(run)
        path(run).unlink(missing_ok=True)
        path(run).with_suffix(".samples").unlink(missing_ok=True)
        folders.add(path(run).parent)
    for folder in folders:
        with suppress(OSError):
            folder.rmdir()
    return freed


def kept(last: int) -> Iterator[list[int]]:
    """Give the runs up to the id `last` that have an output, oldest first, a folder at a time."""
    root = Path(settings.RUN_OUTPUTS)
    names = [folder.name for folder in root.iterdir()] if root.is_dir() else []
    for folder in sorted(int(name) for name in names if name.isdecimal()):
        if folder * _A_FOLDER > last:
            return
        runs = [int(file.stem) for file in (root / str(folder)).glob("*.log")]
        yield sorted(run for run in runs if run <= last)


def read(run: int, offset: int = 0, limit: int = 64 * 1024) -> Chunk:
    """Give up to `limit` bytes from `offset` (in bytes printed), whether the run goes on or not.

    The data is empty when nothing more was printed yet, or when there is no file.
    """
    try:
        file = os.open(path(run), os.O_RDONLY)
    except FileNotFoundError:
        return Chunk(b"", offset, 0)
    try:
        return _read(file, offset, limit)
    finally:
        os.close(file)


def _read(file: int, offset: int, limit: int) -> Chunk:
    dropped = _dropped(file)
    shift = 0
    wanted = offset
    if dropped is not None and offset < HEAD:
        limit = min(limit, HEAD - offset)
    elif dropped is not None:
        offset = max(offset, HEAD + dropped)
        shift = dropped - _MARKER_SIZE
    try:
        begin = os.lseek(file, offset - shift, os.SEEK_DATA)
        end = os.lseek(file, begin, os.SEEK_HOLE)
    except OSError as error:
        if error.errno != errno.ENXIO:
            raise
        return Chunk(b"", wanted, 0)
    data = os.pread(file, min(limit, end - begin), begin)
    return Chunk(data, begin + shift + len(data), begin + shift - wanted)


def _dropped(file: int) -> int | None:
    """Give the bytes left out of a squeezed file, None of a file that is whole or has a hole."""
    found = _MARKED.fullmatch(os.pread(file, _MARKER_SIZE, HEAD))
    dropped = int(found[1]) if found else None
    return dropped if dropped is None or dropped <= _MOST_LEFT_OUT else None


def _printed(file: int) -> int:
    dropped = _dropped(file)
    there = os.fstat(file).st_size
    return there if dropped is None else there - _MARKER_SIZE + dropped


def trim(place: Path, given_back: int) -> tuple[int, int]:
    """Give the middle of a growing output back to the disk.

    `given_back` is the end of the hole made so far (0 at first); the answer is the file's size
    and the hole's new end. A file system without holes gets its file squeezed instead.
    """
    try:
        there = place.stat().st_size
    except FileNotFoundError:
        return 0, given_back
    begin = max(HEAD, given_back)
    end = (there - TAIL) // _BLOCK * _BLOCK
    if end - begin < SLACK:
        return there, given_back
    file = os.open(place, os.O_RDWR)
    try:
        begin = begin if _dropped(file) is None else max(begin, HEAD + _BLOCK)
        if _libc.fallocate(file, _PUNCH_HOLE_KEEP_SIZE, begin, end - begin) == 0:
            return there, end
    finally:
        os.close(file)
    squeeze(place)
    return place.stat().st_size, 0


def close(place: Path) -> int:
    """Bring a finished run's output to its kept form; give the number of bytes it printed."""
    try:
        there = place.stat().st_size
    except FileNotFoundError:
        return 0
    if there <= HEAD:
        return there
    squeeze(place)
    file = os.open(place, os.O_RDONLY)
    try:
        return _printed(file)
    finally:
        os.close(file)


def is_held(place: Path) -> bool:
    """Tell whether some process still has the output open for writing.

    The kernel grants a read lease only on a file that nobody can write to (fcntl(2)).
    """
    try:
        file = os.open(place, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)  # given back by closing
    except BlockingIOError:
        return True
    except OSError:  # a file system without leases
        return False
    finally:
        os.close(file)
    return False


def is_disk_full(place: Path) -> bool:
    """Tell whether the disk of an output has next to no room for anybody but root."""
    try:
        disk = os.statvfs(place.parent)
    except OSError:
        return False
    return disk.f_bavail * disk.f_frsize < _BLOCK


def squeeze(place: Path) -> None:
    """Make head, marker and tail of a file, in place: whoever still appends to it may go on."""
    file = os.open(place, os.O_RDWR | os.O_APPEND)
    try:
        there = os.fstat(file).st_size
        if there <= HEAD + TAIL + _MARKER_SIZE:
            return
        tail = os.pread(file, TAIL, there - TAIL)
        dropped = _printed(file) - HEAD - len(tail)
        os.ftruncate(file, HEAD)
        os.write(file, _MARKER % min(dropped, _MOST_LEFT_OUT) + tail)
    finally:
        os.close(file)
