"""The settings that the environment gives the server, as the Settings screen shows them."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings

SHOWN = (
    "RUNS", "SERVE_LATE", "PARALLEL", "KEEP_DAYS", "KEEP_RUNS", "KEEP_MIB", "SMTP", "MAIL_FROM",
    "MAIL_A_NIGHT", "HEARTBEAT_URL", "SPOOL", "WEB_USER",
)  # fmt: skip
_PASSWORD = re.compile(r"(//[^/@:\s]*):[^/@\s]*@")


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its variable, its value with passwords left out, whether it was set."""

    name: str
    value: str
    meaning: str
    given: bool


def shown() -> Sequence[Setting]:
    """Give the settings that a table's jobs are run by."""
    described = {one.name.removeprefix("BILLCLOCK_"): one for one in settings.DESCRIBED}
    return [
        Setting(
            described[name].name,
            _told(getattr(settings, name)),
            described[name].meaning,
            bool(os.environ.get(described[name].name, "").strip()),
        )
        for name in SHOWN
    ]


def _told(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return _PASSWORD.sub(r"\1:…@", str(value))
