"""What a job's form would do: its next runs by the engine's own code, its findings, its lines."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from billclock.cron import CronError, Expression, zones
from billclock.cron.crontab import Crontab
from billclock.cron.entry import Entry
from billclock.cron.findings import Finding
from billclock.jobs.checking import findings
from billclock.scheduler import policies
from billclock.scheduler.environment import PATH
from billclock.scheduler.load import Schedules, load, quiet
from billclock.web import timeline_plan
from billclock.web.code import Remark, line_with, remark
from billclock.web.difference import Difference, difference
from billclock.web.job_form import JobForm
from billclock.web.job_making import check, made, place
from billclock.web.retold import told
from billclock.web.rows import language
from billclock.web.sentence import tied
from billclock.web.times import Wall
from billclock.web.visible import visible

RUNS = 10
DAYS = 365
MOST = 1000  # entries of a table that is checked as a whole while somebody types
PARTS = 96  # quarters of an hour in the strip of a day
TALL = 40
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Run:
    """One of the next runs: its moment in words, in its own zone, and a clock change before it."""

    when: str
    distance: str
    exactly: str
    local: str
    change: str


@dataclass(frozen=True)
class Preview:
    """What templates/edit/preview.html shows.

    `others` and `own` draw the next day's starts as paths; `quiet` is an expression for a less
    busy minute nearby, empty where none is better. `after` is the crontab as it would be.
    """

    sentence: str
    words: SafeString
    zone: str
    runs: Sequence[Run]
    year: int
    others: str
    own: str
    peak: int
    quiet: str
    remarks: Sequence[Remark]
    found: Sequence[Finding]
    changes: Difference
    environment: Sequence[tuple[str, str]]
    after: Crontab
    code: SafeString


def preview(form: JobForm, crontab: Crontab, entry: Entry | None, wall: Wall) -> Preview | None:
    """Work out what a form would do; None, with the form's errors filled in, where it can't be."""
    check(form, entry)
    if form.errors:
        return None
    try:
        after = made(form, crontab, entry)
    except CronError as error:
        form.errors["command"] = visible(told(error))
        return None
    job = after.entries[place(crontab, entry)]
    zone = _zone(job, wall)
    sentence = job.expression.describe(language())
    rest = crontab.remove(entry) if entry else crontab
    others = timeline_plan.schedules([rest], wall.zone)
    busy = load(others, wall.now, wall.now + DAY).fullest(PARTS)
    mine = load({(job.expression, zone): 1}, wall.now, wall.now + DAY).fullest(PARTS)
    found = _findings(after, job, form.table)
    return Preview(
        sentence=sentence,
        words=tied(sentence, language()),
        zone="" if zone == wall.zone else str(zone),
        runs=list(_runs(job.expression, zone, wall)),
        year=_of_year(job.expression, wall),
        others=_path(busy, max(busy)),
        own=_path(mine, 1),
        peak=max(busy),
        quiet=_quiet(job.expression, others, wall) if zone == wall.zone else "",
        remarks=[remark(one) for one in found],
        found=found,
        changes=difference(bytes(crontab), bytes(after), context=1),
        environment=_environment(job),
        after=after,
        code=line_with(job.raw, [one for one in found if one.line == job.line]),
    )


def _zone(job: Entry, wall: Wall) -> ZoneInfo:
    """Give the zone that the job's fields are read in, as the scheduler finds it."""
    options, _ignored = policies.read(job.directives)
    name = options.zone or job.environment.get("CRON_TZ", "")
    try:
        return zones.named(name) if name else wall.zone
    except ValueError:
        return wall.zone


def _runs(expression: Expression, zone: ZoneInfo, wall: Wall) -> Iterator[Run]:
    if expression.word == "@reboot":
        return
    last = wall.now.astimezone(zone)
    for moment in islice(expression.upcoming(last), RUNS):
        yield Run(
            when=wall.when(moment),
            distance=wall.distance(moment),
            exactly=wall.exactly(moment),
            local="" if zone == wall.zone else f"{moment:%H:%M}",
            change=_change(last, moment),
        )
        last = moment


def _change(last: datetime, moment: datetime) -> str:
    before, after = last.utcoffset(), moment.utcoffset()
    if before is None or after is None or before == after:
        return ""
    return _("the clock goes forward") if after > before else _("the clock goes back")


def _of_year(expression: Expression, wall: Wall) -> int:
    """Count the runs of a year by its days; clock changes are not looked at."""
    days = sum(expression.matches_day(wall.now.date() + n * DAY) for n in range(DAYS))
    return days * expression.minutes.bit_count() * expression.hours.bit_count()


def _path(counts: Sequence[int], most: int) -> str:
    """Draw one bar for each part that has starts, 10 units wide."""
    return "".join(
        f"M{10 * place + 1} {TALL}v-{max(TALL * count // max(most, 1), 4)}h8V{TALL}z"
        for place, count in enumerate(counts)
        if count
    )


def _quiet(expression: Expression, others: Schedules, wall: Wall) -> str:
    """Propose the same days at a less busy minute, for what runs once a day at most."""
    if expression.minutes.bit_count() != 1 or expression.hours.bit_count() != 1:
        return ""
    minute, hour = expression.minutes.bit_length() - 1, expression.hours.bit_length() - 1
    best, _starts = quiet(others, 60 * hour + minute, wall.now)
    if best == 60 * hour + minute:
        return ""
    hour, minute = divmod(best, 60)
    return " ".join([str(minute), str(hour), *expression.fields[2:]])


def _findings(after: Crontab, job: Entry, table: str) -> list[Finding]:
    """Give the findings of the job's lines; in a huge table those of the line by itself."""
    if len(after.entries) <= MOST:
        own = (job.line - 1, job.line) if job.directives else (job.line,)
        return [one for one in findings(after, table or None) if one.line in own]
    alone = Crontab.parse(job.raw + b"\n")
    return [one._replace(line=job.line) for one in findings(alone)]


def _environment(job: Entry) -> list[tuple[str, str]]:
    own = policies.read(job.directives)[0].variables
    given = {"SHELL": "/bin/sh", "PATH": PATH, **job.environment, **own}
    return [(name, visible(given[name])) for name in ("SHELL", "PATH", "HOME") if name in given]
