"""Assignments that stand for a directive an entry lacks: `CRON_TIMEOUT=2h` above it, and so on.

They hold as every assignment does, for the entries below, later ones winning; other crons hand them
to the job as variables and do no more. An empty one takes an earlier one back.
"""

from collections.abc import Mapping
from types import MappingProxyType

from .directives import KEYS

NAMES: Mapping[str, str] = MappingProxyType(
    {
        "CRON_OVERLAP": "overlap",
        "CRON_TIMEOUT": "timeout",
        "CRON_CATCH_UP": "catch-up",
        "CRON_MAIL": "mail",
    }
)
"""Every such assignment with the directive that it stands for."""


def given(environment: Mapping[str, str]) -> dict[str, str]:
    """Give the directives that the assignments above an entry stand for; bad ones are not set."""
    held = {key: environment[name] for name, key in NAMES.items() if environment.get(name)}
    return {key: value for key, value in held.items() if not KEYS[key](value)}


def assignment_fault(name: str, value: str) -> str | None:
    """Say what is wrong with such an assignment; None when it is right, or no such one.

    What can't be read counts as not set.
    """
    key = NAMES.get(name)
    wanted = KEYS[key](value) if key and value else None
    return f"{name}: {value!r} is not {wanted}" if wanted else None
