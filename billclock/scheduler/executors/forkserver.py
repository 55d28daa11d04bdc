"""The program that runs our own commands in children which need not load anything.

It has Django and the commands loaded, one thread and no open database. A child gets what a fresh
process would have: session, input, output, environment, arguments, signals, its own connections.
"""

import ctypes
import gc
import logging
import os
import signal
import sys
import traceback
from collections.abc import Callable
from contextlib import redirect_stdout, suppress
from importlib import import_module
from io import StringIO
from pathlib import Path
from typing import Any, NoReturn

from django.conf import settings
from django.db import connections

from billclock import plugins
from billclock.scheduler.executors import sockets
from billclock.scheduler.executors.starter import Starter

_PR_SET_CHILD_SUBREAPER = 36
_UNFLUSHED = 120  # what Python itself exits with when its last words can't be written

_STREAMS = (
    ("stdin", 0, "r", "surrogateescape"),
    ("stdout", 1, "w", "surrogateescape"),
    ("stderr", 2, "w", "backslashreplace"),
)


def serve(place: Path | None = None) -> None:
    """Serve daemons at a socket (default: the settings') until a signal ends this process.

    Django must have been set up, and this must be the process's only thread. It should have a
    session of its own, since Ctrl-C is for those that wait for it.
    """
    for dotted in (*settings.WARM_COMMANDS.values(), settings.INTERNAL_COMMAND):
        _preload(dotted, _resolve)
    for dotted in settings.WARM_COMMANDS.values():
        _preload(dotted, _rehearse)
    for package in settings.WARM_PACKAGES:
        _preload(package, lambda name: list(plugins.modules(import_module(name))))
    connections.all()  # loads what speaks to the databases, and opens none
    connections.close_all()
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    _set_up_streams()
    _reset_signals()
    gc.collect()
    gc.freeze()
    listener = sockets.listen(place or settings.FORK_SERVER_SOCKET)
    Starter(_fork, listener=listener).serve()


def _preload(name: str, load: Callable[[str], object]) -> None:
    """Load a command or package; what can't be loaded says so again when it is called."""
    try:
        load(name)
    except Exception:
        logging.getLogger(__name__).exception("%s can't be loaded", name)


def _resolve(dotted: str) -> Callable[[], int | None]:
    module, _, name = dotted.partition(":")
    main: Callable[[], int | None] = getattr(import_module(module), name)
    return main


def _rehearse(dotted: str) -> None:
    """Have a command print its help to nobody: what it compiles for that, children have ready."""
    before = sys.argv[:]
    sys.argv[1:] = ["--help"]
    try:
        with redirect_stdout(StringIO()), suppress(SystemExit):
            _resolve(dotted)()
    finally:
        sys.argv[:] = before


def _fork(fields: dict[str, Any], descriptors: list[int]) -> int:
    pid = os.fork()
    if pid == 0:
        _live(fields, descriptors)
    return pid


def _live(fields: dict[str, Any], descriptors: list[int]) -> NoReturn:
    """Be the child: run one command as a fresh process would, and end."""
    code = 1
    try:
        _begin_afresh(fields, descriptors)
        code = _call(fields["main"])
    except BaseException:  # noqa: BLE001 - whatever happens, this process ends here
        traceback.print_exc()
    finally:
        os._exit(_end(code))


def _begin_afresh(fields: dict[str, Any], descriptors: list[int]) -> None:
    os.setsid()
    given, taken = descriptors
    for wanted, number in ((given, 0), (taken, 1), (taken, 2)):
        os.dup2(wanted, number)
    signal.set_wakeup_fd(-1)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.environ.clear()
    os.environ.update(fields["environment"])
    os.environ["TZ"] = settings.TIME_ZONE  # as Django does; ours is the same already
    try:
        os.chdir(fields["home"])
    except OSError:
        os.chdir("/")
    sys.argv[:] = fields["arguments"]


def _set_up_streams() -> None:
    """Make the streams that children will have on their own input and output."""
    for name, number, mode, errors in _STREAMS:
        buffering = 1 if name == "stderr" else -1
        stream = os.fdopen(number, mode, buffering, "utf-8", errors, closefd=False)
        setattr(sys, name, stream)


def _reset_signals() -> None:
    """Set every signal as an interpreter that begins does."""
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)


def _call(dotted: str) -> int:
    """Call a command's main; give the exit code that Python would make of what it does."""
    try:
        return _code(_resolve(dotted)())
    except SystemExit as wish:
        return _code(wish.code)
    except BaseException as error:  # noqa: BLE001 - as the interpreter does with what is left
        below = error.__traceback__ and error.__traceback__.tb_next
        sys.excepthook(type(error), error.with_traceback(below), below)
        return 1


def _code(wish: object) -> int:
    if wish is None:
        return 0
    if isinstance(wish, int):
        return wish & 0xFF
    print(wish, file=sys.stderr)  # noqa: T201 - what sys.exit does with a text
    return 1


def _end(code: int) -> int:
    """Do what the end of an interpreter does; give the exit code, which that may change."""
    try:
        connections.close_all()
        logging.shutdown()
        sys.stdout.flush()
    except Exception:  # noqa: BLE001 - as above
        traceback.print_exc()
        return code or _UNFLUSHED
    return code
