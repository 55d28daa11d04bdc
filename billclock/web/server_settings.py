"""The settings that the environment gives the server, as the Settings screen shows them."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

MEANINGS: Mapping[str, str] = {
    "RUNS": _("whether Billclock runs the jobs; no: another cron does"),
    "SERVE_LATE": _("seconds for which a moment is still started, late"),
    "SMTP": _(
        "smtp://[user:password@]host[:port] (smtps:// for TLS, smtp+starttls:// for STARTTLS); "
        "empty: reports wait"
    ),
    "MAIL_FROM": _("sender of reports; empty: root at the host's name"),
    "HEARTBEAT_URL": _("address fetched once a minute while all is well"),
    "SPOOL": _("folder of the users' crontabs"),
    "WEB_USER": _("system user the web process runs as; edits go by the daemon"),
}
"""What those mean that the environment alone gives; server_choices has those chosen on the page.

Their words are those of settings.py, where no Django is yet that would translate them.
"""

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
            gettext(meaning),
            bool(os.environ.get(described[name].name, "").strip()),
        )
        for name, meaning in MEANINGS.items()
    ]


def _told(value: object, *, secret_path: bool) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if secret_path and value:
        host = _HOST.match(str(value))
        return f"{host[1]}{host[2]}/…" if host else "…"
    return _PASSWORD.sub(r"\1:…@", str(value))
