"""What the number says that a run ended with: the name of a signal, a shell's own exit codes."""

from signal import Signals

from django.utils.translation import gettext as _

from billclock.scheduler.models import Run

NOT_EXECUTABLE, NOT_FOUND, BY_SIGNAL = 126, 127, 128


def meaning(run: Run) -> str:
    """Say what a run's signal or exit code means by POSIX (sh, 2.8.2); empty where it need not."""
    if run.signal:
        return _name(run.signal)
    code = run.exit_code or 0
    if code == NOT_EXECUTABLE:
        return _("the program may not be run")
    if code == NOT_FOUND:
        return _("the program was not found")
    name = _name(code - BY_SIGNAL)
    return _("as after %s") % name if name else ""


def _name(number: int) -> str:
    try:
        return Signals(number).name
    except ValueError:
        return ""
