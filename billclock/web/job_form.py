"""The form of one job: its fields as text, read from an entry or from what was typed."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from django.http import QueryDict

from billclock.cron import CronError, Expression
from billclock.cron.entry import Entry
from billclock.cron.interval import from_expression, from_form, to_expression, to_form
from billclock.cron.shell import with_mails
from billclock.web import job_parameters
from billclock.web.retold import told
from billclock.web.typed import to_type

BASIC, EXPERT = "basic", "expert"
CUSTOM = "custom"  # what Basic shows of a schedule that it can't say: it stays as it is
FIELDS = ("minute", "hour", "day-of-month", "month", "day-of-week")
DIRECTIVES = (
    "zone", "timeout", "grace", "overlap", "retries", "backoff", "catch-up", "mail", "expected",
    "tags", "user", "workdir", "env", "success", "nice", "ionice", "memory", "keep",
    "name", "on-success", "on-failure", "webhook", "webhook-when",
)  # fmt: skip
FOLDED = tuple(name for name in DIRECTIVES if name != "tags")
"""What stands under Advanced."""

DAILY = "0 3 * * *"
_WRONG = re.compile(r"[^\s,/-]+|[,/-]")  # what stands at a fault: a number, a name, a sign


@dataclass
class JobForm:
    """What the form shows: `line` is the whole expression, `five` its fields.

    `interval` holds Basic mode's fields as cron.interval names them, with `run_every` the kind;
    `errors` tell by field what is no good; `column` is where in the line, 0 for nowhere; `table`
    is where the job is to stand, empty where that is not known yet.
    """

    command: str = ""
    description: str = ""
    active: bool = True
    hideout: bool = False
    mode: str = BASIC
    line: str = DAILY
    five: Sequence[str] = ()
    interval: dict[str, str] = field(default_factory=dict)
    directives: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    suggestion: str = ""
    column: int = 0
    table: str = ""

    @property
    def folded_fault(self) -> bool:
        """Tell whether something is wrong in what is folded away until it is asked for."""
        return not self.errors.keys().isdisjoint(FOLDED)

    @property
    def folded(self) -> int:
        """Count what is set in what is folded away until it is asked for."""
        return sum(bool(self.directives.get(name)) for name in FOLDED)

    @property
    def fault(self) -> tuple[str, str, str]:
        """Give the line in three: before what is wrong with it, that word, and what is behind.

        At an end the word is a blank: something is missing there.
        """
        before, rest = self.line[: self.column - 1], self.line[self.column - 1 :]
        found = _WRONG.match(rest)
        word = found[0] if found else ""
        return before, word or " ", rest[len(word) :]

    @property
    def weekdays(self) -> Sequence[str]:
        """Give the weekdays that are chosen in Basic mode, Sunday as 0."""
        return self.interval.get("weekdays", "").split(",")

    @property
    def catch_up(self) -> str:
        """Give what the directive line says of missed runs; empty for nothing."""
        return self.directives.get("catch-up", "")

    @property
    def chain(self) -> dict[str, str]:
        """Give chain and webhook by names that a template can say, errors with `_error` behind."""
        names = ("on-success", "on-failure", "webhook-when")
        given = {one.replace("-", "_"): self.directives.get(one, "") for one in names}
        return given | {f"{one.replace('-', '_')}_error": self.errors.get(one, "") for one in names}

    @property
    def time(self) -> str:
        """Give Basic mode's time of day as a time field holds it, "03:05"."""
        hour, minute = self.interval.get("hour", ""), self.interval.get("minute", "")
        return f"{hour:0>2}:{minute:0>2}" if hour and minute else "03:00"

    def settled(self) -> "JobForm":
        """Give the form with both modes saying the schedule of the mode that is in force.

        A schedule that is no good stays as it was typed, with its error.
        """
        try:
            text = self.line
            if self.mode == BASIC and self.interval.get("run_every") != CUSTOM:
                text = to_expression(from_form(self.interval))
            return self.scheduled(Expression.parse(text))
        except CronError as error:
            self.errors[error.field or "line"] = told(error)
            self.suggestion = error.suggestion or ""
            self.column = error.column if self.mode == EXPERT else 0
        except ValueError as error:
            self.errors["run_every"] = told(error)
        return self

    def scheduled(self, expression: Expression) -> "JobForm":
        """Give the form with another schedule, in the terms of both modes."""
        interval = from_expression(expression)
        return replace(
            self,
            line=str(expression).strip(),
            five=expression.fields,
            interval=to_form(interval) if interval else {"run_every": CUSTOM},
        )


def shown(entry: Entry) -> JobForm:
    """Give an entry's form; what no form can hold is named in brackets."""
    form = JobForm(
        command=to_type(with_mails(entry.command, True)),
        description=to_type(entry.description.encode("utf-8", "surrogateescape")),
        active=entry.active,
        hideout=not entry.mails,
        directives=typable(entry.directives),
    ).scheduled(entry.expression)
    form.mode = EXPERT if form.interval["run_every"] == CUSTOM else BASIC
    return form


def typable(directives: Mapping[str, str]) -> dict[str, str]:
    """Give directives as fields can hold them: what can't be typed is named in brackets."""
    return {
        name: to_type(text.encode("utf-8", "surrogateescape")) for name, text in directives.items()
    }


def typed(given: QueryDict) -> JobForm:
    """Read what was typed; the schedule is checked by `settled`."""
    fields = [given.get(name, "").strip() for name in FIELDS]
    line = given.get("line", "").strip()
    if line == given.get("line_shown", "") and any(fields):
        line = " ".join(text or "*" for text in fields)
    command = given.get("command", "").replace("\r\n", "\n").strip("\n")
    return JobForm(
        command=job_parameters.typed(given, command),
        description=given.get("description", "").replace("\r\n", "\n").strip(),
        active="active" in given,
        hideout="hideout" in given,
        mode=EXPERT if given.get("mode") == EXPERT else BASIC,
        line=line,
        five=fields,
        interval=_interval(given),
        directives={name: given.get(name, "").strip() for name in DIRECTIVES},
        table=given.get("table", ""),
    )


def _interval(given: QueryDict) -> dict[str, str]:
    """Give Basic mode's fields: a kind reads its own, so that each has a place of its own."""
    kind = given.get("run_every", "")
    hour, _colon, minute = given.get("time", "").partition(":")
    if kind == "hours":
        minute = given.get("past", "")
    return {
        "run_every": kind,
        "every": given.get("every_hours" if kind == "hours" else "every_minutes", ""),
        "hour": hour,
        "minute": minute,
        "weekdays": ",".join(given.getlist("weekday")),
        "day": given.get("day", ""),
        "month": given.get("of_month", ""),
    }
