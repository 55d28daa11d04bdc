"""What a process takes upon itself before it becomes a run's command: priorities and memory.

A posix_spawn could not do it, so a starter forks for such a run, and for such a run alone. What
can't be met is told by its step and errno before anything of the command has run.
"""

import errno
import os
import resource
import signal
import struct
from collections.abc import Callable
from typing import Any, NoReturn

FOLDER, NICE, INPUT_OUTPUT, MEMORY = 1, 2, 3, 4

_WORD = struct.Struct("ii")
_ALL = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}
_NEVER_RAN = 127
_IONICE = ("/usr/bin/ionice", "/bin/ionice")  # no C library wraps ioprio_set(2)


class UnmetError(OSError):
    """Something that was asked for a process can't be; `step` says which, `errno` why."""

    def __init__(self, step: int, number: int) -> None:
        super().__init__(number, os.strerror(number))
        self.step = step


def fork(limits: dict[str, Any], door: int | None, live: Callable[[], object]) -> int:
    """Fork a child that confines itself and then lives; give its id.

    `door` is the cgroup.procs of a group that limits its memory, if there is one. Raise
    UnmetError for a limit that can't be set, OSError where `live` does.
    """
    reading, writing = os.pipe2(os.O_CLOEXEC)
    pid = os.fork()
    if pid == 0:
        _be(limits, door, live, writing)
    os.close(writing)
    word = os.read(reading, _WORD.size)  # empty once the command's execution has closed it
    os.close(reading)
    if not word:
        return pid
    os.waitpid(pid, 0)
    step, number = _WORD.unpack(word)
    raise UnmetError(step, number) if step else OSError(number, os.strerror(number))


def _be(
    limits: dict[str, Any], door: int | None, live: Callable[[], object], writing: int
) -> NoReturn:
    try:
        take_on(limits, door)
        for number in _ALL:
            signal.signal(number, signal.SIG_DFL)
        live()
    except OSError as error:
        os.write(writing, _WORD.pack(getattr(error, "step", 0), error.errno or 0))
    except MemoryError:  # so little that not even the command can be executed
        os.write(writing, _WORD.pack(MEMORY, errno.ENOMEM))
    finally:
        os._exit(_NEVER_RAN)


def take_on(limits: dict[str, Any], door: int | None = None) -> None:
    """Set what is asked for this very process. Raise UnmetError."""
    steps = (("nice", NICE, _nice), ("io", INPUT_OUTPUT, _input_output))
    for name, step, apply in steps:
        if limits.get(name) is not None:
            try:
                apply(limits[name])
            except OSError as error:
                raise UnmetError(step, error.errno or 0) from None
    memory = limits.get("memory")
    if memory is not None and not _entered(door):
        _have_at_most(memory)


def _entered(door: int | None) -> bool:
    """Enter the group, which limits the memory of all that will be begun; False if we may not."""
    if door is None:
        return False
    try:
        os.write(door, b"0")
    except OSError:
        return False
    return True


def _have_at_most(memory: int) -> None:
    """Limit this process's own memory, and that of each it will begin; never above what holds."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard == resource.RLIM_INFINITY or memory < hard:
        resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))


def _nice(value: int) -> None:
    os.setpriority(os.PRIO_PROCESS, 0, value)


def _input_output(wish: tuple[int, int]) -> None:
    kind, level = map(str, wish)
    place = next(filter(os.path.exists, _IONICE), _IONICE[0])
    null = os.open(os.devnull, os.O_RDWR)
    quiet = [(os.POSIX_SPAWN_DUP2, null, number) for number in range(3)]
    arguments = ["ionice", "-c", kind, "-n", level, "-p", str(os.getpid())]
    pid = os.posix_spawn(place, arguments, {}, file_actions=quiet)
    os.close(null)
    if os.waitpid(pid, 0)[1]:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))
