"""The settings that the environment gives the server, as the Settings screen shows them."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings

SHOWN = (
    "RUNS", "SERVE_LATE", "SMTP", "MAIL_FROM", "HEARTBEAT_URL", "SPOOL", "WEB_USER",
)  # fmt: skip
"""Those that the environment alone gives; server_choices has those chosen on the page."""

SECRET_PATHS = {"HEARTBEAT_URL"}
"""Addresses whose path is what lets one in, as the watchers of heartbeats give them."""

_HOST = re.compile(r"([a-z]+://)(?:[^/?#]*@)?([^/?#@]+)")
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
            _told(getattr(settings, name), secret_path=name in SECRET_PATHS),
            described[name].meaning,
            bool(os.environ.get(described[name].name, "").strip()),
        )
        for name in SHOWN
    ]


def _told(value: object, *, secret_path: bool) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if secret_path and value:
        host = _HOST.match(str(value))
        return f"{host[1]}{host[2]}/…" if host else "…"
    return _PASSWORD.sub(r"\1:…@", str(value))
