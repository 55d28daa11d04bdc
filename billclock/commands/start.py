"""How every command begins and ends: databases ready, every fault one sentence and a code."""

import os
import sys
from collections.abc import Callable
from contextlib import suppress

from billclock.commands.errors import BROKEN_PIPE, FAILED, INTERRUPTED, CommandError, of_system


def guarded(name: str, command: Callable[[], int]) -> int:
    """Call a command and give its exit code; what it expects to go wrong is told on stderr.

    Anything else that is raised is a defect and passes.
    """
    try:
        _ready_streams()
        code = command()
        sys.stdout.flush()
    except SystemExit as leaving:  # argparse, after help or a usage error
        return leaving.code if isinstance(leaving.code, int) else FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _close_output()
        return BROKEN_PIPE
    except Exception as error:
        told = _told(error)
        if told is None:
            raise
        sentence, code = told
        _say(f"{name}: {sentence}")
    return code


def database() -> None:
    """Set Django up and have a folder with databases of this version to work on."""
    from billclock.commands.prepare import ready

    ready()


def who() -> str:
    """Name the person at this command: the system user, and who became it by sudo."""
    import pwd

    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        name = str(os.getuid())
    before = os.environ.get("SUDO_USER", "")
    return f"{before} as {name}" if before and before != name else name


def _told(error: Exception) -> tuple[str, int] | None:
    """Give the sentence and the exit code of an expected error, None of any other."""
    if isinstance(error, CommandError):
        return str(error), error.code
    if isinstance(error, OSError):
        return of_system(error), FAILED
    if "django" not in sys.modules:
        return None
    from django.db import DatabaseError

    from billclock.scheduler.control import NotRunningError, RefusedError
    from billclock.scheduler.errors import TableError

    if isinstance(error, DatabaseError):
        return f"the database refuses: {error}", FAILED
    if isinstance(error, TableError | NotRunningError | RefusedError):
        return str(error), FAILED
    return None


def _ready_streams() -> None:
    """Have all three streams, and none that fails on a text its encoding can't hold."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # the caller closed it
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115
        with suppress(AttributeError):
            getattr(sys, name).reconfigure(errors="backslashreplace")


def _say(sentence: str) -> None:
    with suppress(OSError):
        print(sentence, file=sys.stderr, flush=True)
    with suppress(OSError):
        sys.stdout.flush()
        return
    _close_output()


def _close_output() -> None:
    """Let what could not be printed go, so that the interpreter's end does not complain of it."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
