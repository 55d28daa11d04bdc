"""An entry as the scheduler's form has it: its fields from an entry, and an entry from them."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from billclock.api.parameters import FunctionError
from billclock.cron import CronError, Expression, veiling
from billclock.cron.directives import read_directives, write_directives
from billclock.cron.entry import Entry
from billclock.cron.interval import from_expression, from_form, to_expression, to_form
from billclock.cron.shell import with_mails
from billclock.scheduler import policies
from billclock.scheduler.environment import ROOT, refusal

DIRECTIVE = "# billclock:"
BASIC, EXPERT = "type_basic", "type_expert"
INPUTS = ("input_min", "input_hour", "input_dmonth", "input_month", "input_dweek")
SHORT = ("min", "hour", "dmonth", "month", "dweek")

FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "schedule_type": f"{BASIC} or {EXPERT}",
        "run_every": "Basic mode: minutes, hours, day, week, month, year or reboot",
        "every": "how many minutes or hours",
        "minute": "start minute, 0-59",
        "hour": "start hour, 0-23; in Expert mode the field",
        "day": "start day of the month, 1-31",
        "weekdays": "start days of the week, 0-6 (Sunday is 0), with commas",
        "month": "start month, 1-12; in Expert mode the field",
        "input_min": "Expert mode: minutes, 0-59",
        "input_hour": "Expert mode: hours, 0-23",
        "input_dmonth": "Expert mode: days of the month, 1-31",
        "input_month": "Expert mode: months, 1-12",
        "input_dweek": "Expert mode: days of the week, 0-7 (0 and 7 are Sunday)",
        "min": "the same as input_min",
        "dmonth": "the same as input_dmonth",
        "dweek": "the same as input_dweek",
        "expression": "Expert mode: all five fields, or an @word",
    }
)
"""What a schedule is made of."""

OF_FIELD = dict(
    zip(("minute", "hour", "day-of-month", "month", "day-of-week"), INPUTS, strict=True)
)


@dataclass(frozen=True, slots=True)
class Given:
    """What a call says of an entry; None is what it does not say."""

    command: str | None = None
    description: str | None = None
    active: bool | None = None
    hideout: bool | None = None
    schedule: Mapping[str, str] | None = None
    directives: str | None = None
    table: str = ROOT

    def changes(self, entry: Entry | None) -> dict[str, Any]:
        """Give the parts to change in `entry`, or all parts of a new one.

        Raise FunctionError or IntervalError naming the parameter that is missing or wrong.
        """
        parts = {
            "expression": self._expression(entry),
            "command": self._command(entry),
            "description": self.description,
            "active": self.active,
            "directives": self._directives(),
        }
        return {name: part for name, part in parts.items() if part is not None}

    def _command(self, entry: Entry | None) -> bytes | None:
        if self.command is not None or entry is None:
            command = (self.command or "").strip()
            if not command:
                raise FunctionError("value", "command", "", "command is missing: give what to run")
            given = command.encode("utf-8", "surrogateescape")
        elif self.hideout is None:
            return None
        else:
            given = entry.command
        return given if self.hideout is None else with_mails(given, not self.hideout)

    def _directives(self) -> Mapping[str, str] | None:
        """Give the directives by key; a value that would not count is refused."""
        if self.directives is None:
            return None
        line = f"{DIRECTIVE} {self.directives}".encode("utf-8", "surrogateescape")
        values, rest = read_directives(line)
        wrong = [str(error) for error in policies.read(values)[1]]
        if rest:
            wrong.append(f"not read from {rest[:40]!r} on; write key=value")
        if "user" in values and not wrong and (why := refusal(self.table, values["user"])):
            wrong.append(why)
        if wrong:
            message = f"directives: {'; '.join(wrong)}"
            raise FunctionError("value", "directives", self.directives, message)
        return values

    def _expression(self, entry: Entry | None) -> str | None:
        fields = self.schedule or {}
        _check_mode(fields)
        if not fields and entry is not None:
            return None
        expert = fields.get("schedule_type", "").removeprefix("type_") == "expert"
        if "run_every" in fields and not expert:
            return to_expression(from_form(fields))
        text = fields.get("expression") or " ".join(_five(fields, entry))
        try:
            return Expression.parse(text).text
        except CronError as error:
            about = OF_FIELD.get(error.field or "", "expression")
            raise FunctionError("value", about, text, str(error)) from None


def shown(entry: Entry, *, veil: bool = False) -> dict[str, str]:
    """Give the form's fields of an entry: its schedule in both modes where Basic can say it.

    `veil` puts stars for what its directives hold of secrets.
    """
    interval = from_expression(entry.expression)
    fields = {
        "command": entry.command.decode("utf-8", "surrogateescape"),
        "description": entry.description,
        "active": _switch(entry.active),
        "schedule_type": BASIC if interval else EXPERT,
    }
    if interval:
        fields |= to_form(interval)
    if entry.expression.fields:
        fields |= dict(zip(INPUTS, entry.expression.fields, strict=True))
    held = veiling.directives(entry.directives) if veil else entry.directives
    line = write_directives(held).decode("utf-8", "surrogateescape")
    given = line.removeprefix(DIRECTIVE).strip()
    return fields | {"hideout": _switch(not entry.mails), "directives": given}


def listed(entry: Entry) -> dict[str, str]:
    """Give the list's columns of an entry."""
    return {
        "command": entry.command.decode("utf-8", "surrogateescape"),
        "interval": entry.expression.describe(),
        "schedule_type": BASIC if from_expression(entry.expression) else EXPERT,
        "state": _switch(entry.active),
        "description": entry.description,
        "expression": str(entry.expression).strip(),
        "hideout": _switch(not entry.mails),
    }


def _five(fields: Mapping[str, str], entry: Entry | None) -> list[str]:
    """Give Expert mode's five fields; one that is not given stays as it is in the entry."""
    old = entry.expression.fields if entry else ()
    five = []
    for place, (name, short) in enumerate(zip(INPUTS, SHORT, strict=True)):
        text = fields.get(name) or fields.get(short) or (old[place] if old else "")
        if not text.strip():
            raise FunctionError("value", name, "", f"{name} is missing: give a field, * for any")
        five.append(text.strip())
    return five


def _check_mode(fields: Mapping[str, str]) -> None:
    kind = fields.get("schedule_type", "")
    if kind and kind.removeprefix("type_") not in {"basic", "expert"}:
        message = f"schedule_type: {kind!r} is not {BASIC} or {EXPERT}"
        raise FunctionError("value", "schedule_type", kind, message)
    if kind.endswith("basic") and "run_every" not in fields:
        message = f"run_every is missing: give {FIELDS['run_every']}"
        raise FunctionError("value", "run_every", "", message)


def _switch(on: bool) -> str:
    return "on" if on else "off"
