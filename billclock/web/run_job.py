"""The job of a run as its crontab had it then: what was executed, with which environment."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from billclock.cron import veiling
from billclock.cron.comments import block
from billclock.cron.conditions import ranges
from billclock.cron.crontab import Crontab
from billclock.cron.entry import Entry as Line
from billclock.scheduler import environment, policies, versions
from billclock.scheduler.evidence import find
from billclock.scheduler.executors import proc
from billclock.scheduler.models import Outcome, Run, Table, Version
from billclock.scheduler.orders import kept_command
from billclock.web.difference import Difference, difference
from billclock.web.visible import visible

MASKED = "••••••"


@dataclass(frozen=True)
class Executed:
    """What a shell was given: `stdin` is None without input; `number` is the table's version."""

    shell: str
    command: str
    stdin: str | None
    home: str
    number: int
    options: policies.Options
    asked: Mapping[str, str]  # the directives as they stand

    @property
    def success(self) -> str:
        """Give the codes that count as succeeded, empty where that is 0 alone."""
        codes = self.options.success
        return "" if codes == policies.DEFAULT.success else ranges(codes)


@dataclass(frozen=True)
class Variable:
    """A variable a run found: `masked` where its value may be a secret, `own` if Billclock's."""

    name: str
    value: str
    masked: bool


class Then:
    """A run's job as the versions of its crontab tell it: two queries."""

    def __init__(self, run: Run) -> None:
        """Find the text that was in force when the run was to start."""
        self._run = run
        self.version = _in_force(run)
        self.system = Table.objects.filter(name=run.entry.table, system=True).exists()
        self.crontab = _read(self.version, system=self.system)
        self.line = find(self.crontab, run.entry)

    @property
    def options(self) -> policies.Options:
        """Give what its directives asked for, or its table for all of its entries."""
        if self.line is None:
            return policies.DEFAULT
        return policies.read(self.line.directives, self.line.environment)[0]

    @property
    def executed(self) -> Executed | None:
        """Give what was executed; None where no text of that time is kept."""
        if self.line is None or self.version is None:
            return None
        variables = self._variables(self.line)
        stdin = self.line.stdin
        return Executed(
            variables["SHELL"],
            _shown(kept_command(self.line)),
            None if stdin is None else _shown(stdin),
            visible(self.options.folder or variables["HOME"]),
            self.version.number,
            self.options,
            {
                key: visible(text)
                for key, text in self.line.directives.items()
                if key not in veiling.BEARING
            },
        )

    @property
    def environment(self) -> list[Variable]:
        """Give the variables the run found, by name, what may be secret masked."""
        if self.line is None:
            return []
        found = {**self._variables(self.line), proc.MARK: str(self._run.pk)}
        return [_variable(name, value) for name, value in sorted(found.items())]

    def _variables(self, line: Line) -> dict[str, str]:
        owner = line.user or self._run.user or self._run.entry.table
        try:
            account = environment.account(owner)
        except environment.UnknownUserError:
            account = environment.Account(owner, "/", None)
        given = {**line.environment, **policies.read(line.directives)[0].variables}
        return environment.environment(given, account)


@dataclass(frozen=True)
class Since:
    """What changed of a job since a run that succeeded; `versions` saved in between, the newest."""

    run: Run
    changes: Difference
    versions: Sequence[Version]


def since_success(run: Run, then: Then) -> Since | None:
    """Compare a run's job with what it was when it last succeeded before; None if it never did."""
    good = Run.objects.filter(entry=run.entry_id, outcome=Outcome.SUCCEEDED, id__lt=run.pk)
    last = good.select_related("entry").order_by("-id").first()
    if last is None:
        return None
    before = Then(last)
    numbers = [version.number for version in (before.version, then.version) if version]
    between: Iterable[Version] = ()
    if len(numbers) == 2:  # noqa: PLR2004 - one on each side
        kept = Version.objects.filter(table=run.entry.table).defer("data")
        between = kept.filter(number__gt=numbers[0], number__lte=numbers[1]).order_by("-number")
    old, new = (_text(one.crontab, one.line) for one in (before, then))
    return Since(last, difference(old, new), list(between))


def _variable(name: str, value: str) -> Variable:
    masked = bool(value) and veiling.is_secret(name, value)
    return Variable(visible(name), MASKED if masked else visible(value), masked)


def _in_force(run: Run) -> Version | None:
    at = run.started or run.planned
    kept = Version.objects.filter(table=run.entry.table)
    return (kept.filter(at__lte=at) if at else kept).order_by("-number").first()


def _read(version: Version | None, *, system: bool) -> Crontab:
    return Crontab.parse(versions.text(version) or b"" if version else b"", system=system)


def _text(crontab: Crontab, line: Line | None) -> bytes:
    """Give the lines that make an entry: the assignments above it, masked, and its own."""
    if line is None:
        return b""
    assigned = [
        veiling.line(f"{one.name}={one.value}".encode("utf-8", "surrogateescape"))
        for one in crontab.assignments
        if one.line < line.line
    ]
    own = block(crontab.lines, line.line - 1)
    lines = [veiling.line(other.raw) for other in crontab.lines[own.start : own.entry + 1]]
    return b"\n".join([*assigned, *lines, b""])


def _shown(data: bytes) -> str:
    return "\n".join(map(visible, data.decode("utf-8", "surrogateescape").split("\n")))
