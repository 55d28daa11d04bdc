"""What a run took of the machine while it went on: a line a sample, beside its output.

Only runs longer than a few seconds have any. A line holds seconds since the start, seconds of CPU
so far, KiB of memory and bytes printed so far.
"""

import os
from pathlib import Path
from typing import NamedTuple

AFTER = 5.0
"""Seconds that a run goes on before the first sample is taken."""

THIN = 300
"""Samples that are a second apart; from there on each comes later by a part of the run's age."""

_MOST = 1 << 20  # bytes of a file that a reader takes in


class Sample(NamedTuple):
    """One look: `since` and `cpu` in seconds, `memory` in KiB, `printed` in bytes."""

    since: float
    cpu: float
    memory: int
    printed: int


def path(output: Path) -> Path:
    """Give the place of the samples of the run whose output lies at `output`."""
    return output.with_suffix(".samples")


def pause(age: float) -> float:
    """Give the seconds until the next sample of a run of `age` seconds."""
    return max(1.0, age / THIN)


def add(output: Path, sample: Sample) -> None:
    """Put a sample down; a disk that is full or a folder that is gone costs only the sample."""
    line = f"{sample.since:.1f} {sample.cpu:.2f} {sample.memory} {sample.printed}\n"
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
    try:
        mode = output.stat().st_mode & 0o777  # whoever may read the output may read this
        file = os.open(path(output), flags, mode)
    except OSError:
        return
    try:
        os.write(file, line.encode())
    except OSError:
        return
    finally:
        os.close(file)


def read(output: Path) -> list[Sample]:
    """Give a run's samples, the oldest first; none where there are none."""
    try:
        with path(output).open("rb") as file:
            lines = file.read(_MOST).split(b"\n")
    except OSError:
        return []
    return [sample for line in lines if (sample := _read(line))]


def _read(line: bytes) -> Sample | None:
    try:
        since, cpu, memory, printed = line.split()
        return Sample(float(since), float(cpu), int(memory), int(printed))
    except ValueError:  # cut short by a full disk
        return None
