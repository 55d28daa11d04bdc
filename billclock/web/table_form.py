"""The settings of one table as a form: its variables as fields, what was typed back as edits."""

import re
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import available_timezones

from django.http import QueryDict
from django.utils.translation import gettext as _

from billclock.cron import defaults
from billclock.cron.crontab import Crontab
from billclock.cron.directives import known_zone
from billclock.scheduler import policies
from billclock.scheduler.addressing import address
from billclock.web.retold import told

KNOWN = ("MAILTO", "MAILFROM", "PATH", "SHELL", "CRON_TZ", *defaults.NAMES)
MOST_OTHERS = 100
EMPTY_ROWS = 2  # rows for new variables
OWNER, NOBODY, THESE = "owner", "nobody", "these"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Variable:
    """One row of the other variables, and what is wrong with it."""

    name: str
    value: str
    error: str = ""


@dataclass
class Form:
    """What is shown and typed: who gets reports (`to`, `addresses`), and the variables.

    `policies` are the directives that every job has which says nothing itself, by key.
    `errors` tell by field what is no good; `given` are names of variables set in the table.
    """

    to: str
    addresses: str
    mailfrom: str
    path: str
    shell: str
    zone: str
    policies: Mapping[str, str]
    others: Sequence[Variable]
    given: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        """Begin without errors."""
        self.errors: dict[str, str] = {}

    @property
    def rows(self) -> Sequence[Variable]:
        """Give the rows of other variables, with empty ones to fill in."""
        return [*self.others, *[Variable("", "")] * EMPTY_ROWS]


def shown(crontab: Crontab) -> Form:
    """Give a table's settings: the assignments above its first entry, which hold for all."""
    held = above(crontab)
    mailto = held.get("MAILTO")
    return Form(
        to=OWNER if mailto is None else THESE if mailto.strip() else NOBODY,
        addresses="\n".join(_pieces(mailto or "")),
        mailfrom=held.get("MAILFROM", ""),
        path=held.get("PATH", "").replace(":", " "),
        shell=held.get("SHELL", ""),
        zone=held.get("CRON_TZ", ""),
        policies={key: held.get(name, "") for name, key in defaults.NAMES.items()},
        others=[Variable(name, held[name]) for name in held if name not in KNOWN],
        given=frozenset(held),
    )


def typed(given: QueryDict, crontab: Crontab) -> Form:
    """Read what was typed, and check it; what is wrong is in `errors`."""
    names, values = given.getlist("name"), given.getlist("value")
    rows = [
        Variable(name.strip(), value.strip())
        for name, value in zip(names, values, strict=False)
        if name.strip() or value.strip()
    ]
    form = Form(
        to=given.get("to", OWNER),
        addresses=given.get("addresses", ""),
        mailfrom=given.get("mailfrom", "").strip(),
        path=" ".join(given.get("path", "").replace(":", " ").split()),
        shell=given.get("shell", "").strip(),
        zone=given.get("zone", "").strip(),
        policies={key: given.get(key, "").strip() for key in defaults.NAMES.values()},
        others=[_checked(row) for row in rows[:MOST_OTHERS]],
        given=shown(crontab).given,
    )
    form.errors = _errors(form)
    return form


def wanted(form: Form, crontab: Crontab) -> Mapping[str, str | None]:
    """Give what each variable should be (None: not set), only where that is another than now."""
    held = above(crontab)
    mailto = {OWNER: None, NOBODY: ""}.get(form.to, ",".join(_pieces(form.addresses)))
    new: dict[str, str | None] = {
        "MAILTO": mailto,
        "MAILFROM": form.mailfrom or None,
        "PATH": ":".join(form.path.split()) or None,
        "SHELL": form.shell or None,
        "CRON_TZ": form.zone or None,
        **{
            name: form.policies[key] or ("" if held.get(name) == "" else None)
            for name, key in defaults.NAMES.items()
        },
    }
    others = {row.name: row.value for row in form.others if row.name}
    new |= {name: others.get(name) for name in held if name not in KNOWN}
    new |= others
    return {name: value for name, value in new.items() if value != held.get(name)}


def assigned(crontab: Crontab, changes: Mapping[str, str | None]) -> Crontab:
    """Give the table with variables set; raises CronError for what no crontab can hold."""
    for name, value in changes.items():
        crontab = crontab.assign(name, value)
    return crontab


def above(crontab: Crontab) -> dict[str, str]:
    """Give the variables set above the first entry, which hold for the whole table."""
    first = crontab.entries[0].line if crontab.entries else len(crontab.lines) + 1
    return {found.name: found.value for found in crontab.assignments if found.line < first}


def below(crontab: Crontab) -> int:
    """Count the assignments further down, which hold for some entries only."""
    return len(crontab.assignments) - sum(
        found.line < (crontab.entries[0].line if crontab.entries else found.line + 1)
        for found in crontab.assignments
    )


def zones() -> Sequence[str]:
    """Name the time zones that can be chosen."""
    return sorted(available_timezones())


def _errors(form: Form) -> dict[str, str]:
    found = {
        "addresses": _addresses_error(form),
        "mailfrom": _address_error(_bare(form.mailfrom)) if form.mailfrom else "",
        "path": _path_error(form.path),
        "shell": "",
        "zone": "",
        "others": "",
    }
    if form.shell and not form.shell.startswith("/"):
        found["shell"] = _("The shell is a full path, such as /bin/bash.")
    if form.zone and not known_zone(form.zone):
        found["zone"] = _("No time zone is called %s; an example is Europe/Berlin.") % form.zone
    for error in policies.read({key: text for key, text in form.policies.items() if text})[1]:
        found[error.key] = told(error)
    if any(row.error for row in form.others):
        found["others"] = _("One of the variables is no good.")
    return {field: error for field, error in found.items() if error}


def _addresses_error(form: Form) -> str:
    if form.to in (OWNER, NOBODY):
        return ""
    if form.to != THESE:
        return _("Choose who gets the reports.")
    pieces = _pieces(form.addresses)
    if not pieces:
        return _("Give an address, or choose that nobody gets reports.")
    return next((error for piece in pieces if (error := _address_error(piece))), "")


def _path_error(path: str) -> str:
    for folder in path.split():
        if not folder.startswith(("/", "~", "$")):
            return _("%s is no full path: folders begin with /.") % folder
    return ""


def _checked(row: Variable) -> Variable:
    if not _NAME.fullmatch(row.name):
        error = _("A name has letters, digits and _, and begins with no digit.")
    elif row.name in KNOWN:
        error = _("%s has a field of its own above.") % row.name
    else:
        return row
    return Variable(row.name, row.value, error)


def _address_error(text: str) -> str:
    try:
        address(text, socket.gethostname())
    except ValueError:
        return _("%s is no e-mail address.") % text
    return ""


def _bare(text: str) -> str:
    found = re.fullmatch(r"[^<>]*<([^<>]*)>", text)
    return found[1] if found else text


def _pieces(text: str) -> list[str]:
    return [piece for piece in re.split(r"[,\s]+", text) if piece]
