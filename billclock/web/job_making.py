"""A job's form made into a line of its crontab; what the form does not change keeps its bytes."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from billclock.cron import Expression
from billclock.cron.crontab import Crontab
from billclock.cron.entry import Entry
from billclock.cron.shell import with_mails
from billclock.scheduler import policies
from billclock.scheduler.environment import ROOT, refusal
from billclock.web.job_form import BASIC, DIRECTIVES, JobForm, shown, typable
from billclock.web.retold import retold, told


def check(form: JobForm, entry: Entry | None) -> None:
    """Put into the form's errors what its texts can't be; the schedule is checked elsewhere."""
    if not form.command.strip():
        form.errors["command"] = _("Give the command to run.")
    elif "\n" in form.command:
        form.errors["command"] = _(
            "A command is one line: join its lines with && or ;, or put them into a script."
        )
    old = typable(entry.directives) if entry else {}
    new = {name: text for name, text in form.directives.items() if text != old.get(name, "")}
    for error in policies.read({name: text for name, text in new.items() if text})[1]:
        form.errors[error.key] = told(error)
    user = new.get("user", "")
    if user and "user" not in form.errors and (why := refusal(form.table or ROOT, user)):
        form.errors["user"] = retold(why)


def made(form: JobForm, crontab: Crontab, entry: Entry | None) -> Crontab:
    """Give the crontab with the form's job in place of `entry`, or behind the last one.

    Raises CronError where the parts make no entry.
    """
    if entry is None:
        return crontab.add(form.line, **_parts(form, {}))
    return crontab.change(entry, **_changes(form, entry))


def place(crontab: Crontab, entry: Entry | None) -> int:
    """Give the place of an entry among the crontab's entries; the last for a new one."""
    if entry is None:
        return -1
    return next(i for i, other in enumerate(crontab.entries) if other.line == entry.line)


def _changes(form: JobForm, entry: Entry) -> dict[str, Any]:
    """Give the parts that the form says in another way than the entry."""
    old = shown(entry)
    parts = _parts(form, entry.directives)
    if form.command == old.command:
        parts["command"] = with_mails(entry.command, not form.hideout)
    changed = {
        "expression": _another_schedule(form, entry),
        "command": (form.command, form.hideout) != (old.command, old.hideout),
        "description": form.description != old.description,
        "active": form.active != entry.active,
        "directives": parts["directives"] != entry.directives,
    }
    parts["expression"] = form.line
    return {name: parts[name] for name, differs in changed.items() if differs}


def _another_schedule(form: JobForm, entry: Entry) -> bool:
    """Tell whether the schedule is to be written: Basic mode never rewrites one it agrees with."""
    if form.mode == BASIC:
        return Expression.parse(form.line) != entry.expression
    return form.line != str(entry.expression).strip()


def _parts(form: JobForm, old: Mapping[str, str]) -> dict[str, Any]:
    command = form.command.strip().encode("utf-8", "surrogateescape")
    return {
        "command": with_mails(command, not form.hideout),
        "description": form.description,
        "active": form.active,
        "directives": _directives(form, old),
    }


def _directives(form: JobForm, old: Mapping[str, str]) -> dict[str, str]:
    """Give the entry's directives with the form's in them: keys that no field has are kept."""
    new, as_shown = dict(old), typable(old)
    for name in DIRECTIVES:
        text = form.directives.get(name, "")
        if text and text != as_shown.get(name):
            new[name] = text
        elif not text:
            new.pop(name, None)
    return new
