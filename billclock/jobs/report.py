"""What a job has to say when it is over: counts, failures by object, a summary, figures."""

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from billclock.billing.errors import BillingError

log = logging.getLogger(__name__)


class Exit(IntEnum):
    """How a command ends, everywhere: done, failed in part, used wrongly, another run holds it."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    BUSY = 3


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of one run of a job.

    `done` counts the objects acted on, `unchanged` those with nothing to do, `failed` gives the
    reason by object; `busy` says which other run holds the job; `figures` are for programs.
    """

    job: str
    done: int = 0
    unchanged: int = 0
    failed: Mapping[str, str] = field(default_factory=dict)
    lines: tuple[str, ...] = ()
    figures: Mapping[str, Any] = field(default_factory=dict)
    busy: str = ""

    @property
    def exit_code(self) -> Exit:
        """Give the code the command ends with."""
        if self.busy:
            return Exit.BUSY
        return Exit.FAILED if self.failed else Exit.DONE

    def text(self) -> str:
        """Give the summary a person reads, its last line the counts, without a line end."""
        if self.busy:
            return f"{self.job}: not started, {self.busy}"
        failures = [f"failed: {name}: {reason}" for name, reason in self.failed.items()]
        counts = f"{self.done} done, {self.unchanged} unchanged, {len(self.failed)} failed"
        return "\n".join([*self.lines, *failures, f"{self.job}: {counts}"])

    def values(self) -> dict[str, Any]:
        """Give the report as plain values, as JSON has them."""
        return {
            "job": self.job,
            "exit_code": int(self.exit_code),
            "done": self.done,
            "unchanged": self.unchanged,
            "failed": dict(self.failed),
            "busy": self.busy,
            "summary": list(self.lines),
            "figures": dict(self.figures),
        }

    def json(self) -> str:
        """Give the report as one JSON object."""
        return json.dumps(self.values(), ensure_ascii=False)


@dataclass(slots=True)
class Tally:
    """A report in the making."""

    job: str
    done: int = 0
    unchanged: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)

    @contextmanager
    def isolated(self, name: str) -> Iterator[None]:
        """Take one object's failure down under its name, so that the others go on."""
        try:
            yield
        except BillingError as error:
            self.failed[name] = str(error)
        except Exception as error:
            log.exception("%s: %s", self.job, name)
            self.failed[name] = f"{type(error).__name__}: {error}"

    def say(self, line: str) -> None:
        """Add a line to the summary."""
        self.lines.append(line)

    def report(self) -> Report:
        """Give the report of what was counted."""
        return Report(
            self.job, self.done, self.unchanged, self.failed, tuple(self.lines), self.figures
        )
