"""How a command ends: its exit codes, and the exceptions that carry one.

CommandError    1: something failed, named on stderr
├── UsageError  2: the words or the settings were wrong
└── HeldError   3: another run holds what was wanted
"""

DONE = 0
FAILED = 1
WRONG = 2
HELD = 3
INTERRUPTED = 130
BROKEN_PIPE = 141


class CommandError(Exception):
    """A command failed; the text says what, where, and what mends it."""

    code = FAILED


class UsageError(CommandError):
    """A command was called wrongly, or in an environment it can't work in."""

    code = WRONG


class HeldError(CommandError):
    """Another run holds what the command wants."""

    code = HELD


def of_system(error: OSError) -> str:
    """Say what the system refused, and of which file."""
    reason = error.strerror or str(error)
    return f"{error.filename}: {reason}" if error.filename else reason
