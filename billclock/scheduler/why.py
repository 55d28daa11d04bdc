"""Why an entry did not run at a moment: the decision gone through again, step by step; pure.

What was the case then comes as Evidence (evidence.py gathers it); the answer is data, which a
screen puts into words. A moment is a whole minute, aware.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from billclock.cron.expression import Expression
from billclock.scheduler.models import Outcome, Trigger

MINUTE = timedelta(minutes=1)
NAMES = ("minute", "hour", "day-of-month", "month", "day-of-week")
DAY_OF_MONTH, DAY_OF_WEEK = 2, 4


class Cause(StrEnum):
    """What decided, the one thing the answer is about."""

    RAN = "it ran"
    COMING = "it is still to come"
    WAITING = "its run has not begun yet"
    NO_TEXT = "no text of the table is kept from then"
    IGNORED = "the table is not run"
    ABSENT = "the table did not have it then"
    OFF = "it was switched off"
    FIELDS = "the schedule asked for other moments"
    SKIPPED_HOUR = "the clocks jumped over that time"
    REPEATED_HOUR = "the time came twice, and it runs in the first pass only"
    REBOOT = "it runs when the machine starts"
    ELSEWHERE = "another cron runs the tables"
    DOWN = "the scheduler was not running"
    MISSED = "its time passed without a start"
    NOT_KEPT = "nothing is kept of that moment"
    PAUSED = "starts were paused"
    OVERLAP = "an earlier run was still going on"
    REFUSED = "it could not be started"


class Question(StrEnum):
    """The steps to a start, in their order."""

    READ = "was the table read"
    ON = "was the entry on"
    FITS = "did the schedule ask for it"
    THERE = "was the scheduler there in time"
    FREE = "was it free to start"
    MADE_UP = "was it made up for"


class Verdict(StrEnum):
    """How a step was passed: moot is one that was never reached."""

    YES = "yes"
    NO = "no"
    MOOT = "moot"


STOPS = {
    Cause.NO_TEXT: Question.READ,
    Cause.IGNORED: Question.READ,
    Cause.ABSENT: Question.ON,
    Cause.OFF: Question.ON,
    Cause.FIELDS: Question.FITS,
    Cause.SKIPPED_HOUR: Question.FITS,
    Cause.REPEATED_HOUR: Question.FITS,
    Cause.REBOOT: Question.FITS,
    Cause.ELSEWHERE: Question.THERE,
    Cause.DOWN: Question.THERE,
    Cause.MISSED: Question.THERE,
    Cause.NOT_KEPT: Question.THERE,
    Cause.PAUSED: Question.FREE,
    Cause.OVERLAP: Question.FREE,
    Cause.REFUSED: Question.FREE,
}
"""The step at which each cause stops a start."""


class Text(NamedTuple):
    """A table's text as it was read, and the entry in it; `line` 0: it is not in it."""

    version: int
    author: str
    since: datetime
    line: int
    active: bool
    expression: Expression


class Attempted(NamedTuple):
    """A run of the entry, as its row tells it."""

    run: int
    planned: datetime | None
    started: datetime | None
    finished: datetime | None
    outcome: str
    reason: str
    trigger: str

    def goes_on_at(self, moment: datetime) -> bool:
        """Tell whether it had begun before a moment and was not over then."""
        if self.started is None or self.started >= moment:
            return False
        return self.finished > moment if self.finished else not self.outcome


class Held(NamedTuple):
    """A pause that holds the entry: its scope, its time (without `until` it goes on), by whom."""

    scope: str
    since: datetime
    until: datetime | None
    actor: str

    def over(self, moment: datetime) -> bool:
        """Tell whether it was in force at a moment."""
        return self.since <= moment and (self.until is None or moment < self.until)


@dataclass(frozen=True, slots=True)
class Settled:
    """The planned moment's own row: of several in a row the first, the last and their number."""

    first: datetime
    last: datetime
    count: int
    outcome: str
    reason: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of an entry at a moment.

    `moment` is in the zone in which the entry's fields are read. `served` is the moment up to
    which planned moments were seen to (None: there never was a scheduler), `catches_up` whether
    the entry then asked for missed moments to be made up for.
    """

    moment: datetime
    now: datetime
    text: Text | None
    ignored: str = ""
    elsewhere: bool = False
    served: datetime | None = None
    settled: Settled | None = None
    runs: Sequence[Attempted] = ()
    pauses: Sequence[Held] = ()
    made_up: Attempted | None = None
    catches_up: bool = False


class Field(NamedTuple):
    """One field at the moment: the clock's value, the field's text, and whether they agree.

    A day field that does not fit is `needless` where the other one is enough.
    """

    name: str
    value: int
    text: str
    fits: bool
    needless: bool = False


class Step(NamedTuple):
    """A question and how it was answered."""

    question: Question
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Answer:
    """The cause, the way to it, and the moments around that the schedule does ask for.

    `instead` is when it ran, or runs, in place of a time that a clock change skipped or repeated.
    """

    cause: Cause
    steps: Sequence[Step]
    fields: Sequence[Field]
    before: datetime | None = None
    after: datetime | None = None
    instead: datetime | None = None
    run: Attempted | None = None
    pause: Held | None = None


def judge(evidence: Evidence) -> Answer:
    """Say why the entry did not run at the moment, or that it did."""
    run = _ran(evidence)
    cause = Cause.RAN if run else _cause(evidence)
    if cause in (Cause.OVERLAP, Cause.WAITING):
        run = _in_the_way(evidence)
    pauses = (pause for pause in evidence.pauses if pause.over(evidence.moment))
    expression = evidence.text.expression if evidence.text else None
    moment = evidence.moment
    return Answer(
        cause=cause,
        steps=_steps(cause, evidence),
        fields=fields(expression, moment) if expression else (),
        before=expression.previous(moment) if expression else None,
        after=expression.next(moment) if expression else None,
        instead=_instead(expression, moment, cause) if expression else None,
        run=run,
        pause=next(pauses, None) if cause is Cause.PAUSED else None,
    )


def fields(expression: Expression, moment: datetime) -> list[Field]:
    """Hold the wall clock's reading against the five fields; none for `@reboot`."""
    values = (moment.minute, moment.hour, moment.day, moment.month, moment.isoweekday() % 7)
    masks = (
        expression.minutes,
        expression.hours,
        expression.days,
        expression.months,
        expression.weekdays,
    )
    fit = [bool(mask >> value & 1) for mask, value in zip(masks, values, strict=True)]
    # Debian's rule: either day field is enough where neither begins with a star
    either = not (expression.day_star or expression.weekday_star)
    enough = either and (fit[DAY_OF_MONTH] or fit[DAY_OF_WEEK])
    return [
        Field(*found, needless=enough and at in (DAY_OF_MONTH, DAY_OF_WEEK) and not found[-1])
        for at, found in enumerate(zip(NAMES, values, expression.fields, fit, strict=False))
    ]


def is_due(expression: Expression, moment: datetime) -> bool:
    """Tell whether the expression runs at a moment, clock changes included."""
    at = moment.astimezone(UTC)
    found = expression.next((at - MINUTE).astimezone(moment.tzinfo))
    # by UTC: within one zone moments are compared as wall times, which may come twice
    return found is not None and found.astimezone(UTC) == at


def exists(moment: datetime) -> bool:
    """Tell whether the wall clock ever shows this time, or jumps over it."""
    there_and_back = moment.astimezone(UTC).astimezone(moment.tzinfo)
    return there_and_back.replace(tzinfo=None) == moment.replace(tzinfo=None)


def _ran(evidence: Evidence) -> Attempted | None:
    """Find the run that was started for the moment, or by hand within its minute."""
    for run in evidence.runs:
        if run.started is None:
            continue
        ours = run.planned == evidence.moment and run.trigger != Trigger.CATCH_UP
        if ours or evidence.moment <= run.started < evidence.moment + MINUTE:
            return run
    return None


def _in_the_way(evidence: Evidence) -> Attempted | None:
    return next((run for run in evidence.runs if run.goes_on_at(evidence.moment)), None)


def _cause(evidence: Evidence) -> Cause:
    text = evidence.text
    if text is None:
        return Cause.NO_TEXT
    if not text.line:
        return Cause.ABSENT
    if not text.active:
        return Cause.OFF
    if not evidence.settled and (found := _against_the_schedule(text.expression, evidence.moment)):
        return found
    if evidence.settled:
        return _of_outcome(evidence, evidence.settled)
    return _without_a_row(evidence)


def _against_the_schedule(expression: Expression, moment: datetime) -> Cause | None:
    """Say what of the schedule is against the moment, None where it asks for it."""
    if not expression.minutes:
        return Cause.REBOOT
    if exists(moment) and is_due(expression, moment):
        return None
    if not expression.matches(moment):
        return Cause.FIELDS
    return Cause.REPEATED_HOUR if exists(moment) else Cause.SKIPPED_HOUR


def _of_outcome(evidence: Evidence, settled: Settled) -> Cause:
    """Say why a planned moment whose row is there had no start."""
    if settled.outcome == Outcome.MISSED:
        return Cause.MISSED
    if settled.outcome == Outcome.SKIPPED:
        # a pause is looked at before an overlap, as attempts.py does
        paused = any(pause.over(evidence.moment) for pause in evidence.pauses)
        return Cause.PAUSED if paused else Cause.OVERLAP
    return Cause.REFUSED if settled.outcome else Cause.WAITING


def _without_a_row(evidence: Evidence) -> Cause:
    """Say why a moment that the schedule asks for has no row."""
    if evidence.elsewhere:
        return Cause.ELSEWHERE
    if evidence.ignored:
        return Cause.IGNORED
    if evidence.moment > evidence.now:
        return Cause.COMING
    if evidence.served is None or evidence.moment > evidence.served:
        return Cause.DOWN
    return Cause.NOT_KEPT


def _steps(cause: Cause, evidence: Evidence) -> list[Step]:
    """Answer the questions up to the one that stopped it; what lies behind it is moot."""
    questions = list(Question)[:-1]
    stop = STOPS.get(cause)
    if cause in (Cause.COMING, Cause.WAITING):
        stop = Question.THERE
    reached = questions.index(stop) if stop else len(questions)
    verdicts = [Verdict.YES] * reached + [Verdict.MOOT] * (len(questions) - reached)
    if cause in STOPS:
        verdicts[reached] = Verdict.NO
    steps = [Step(*each) for each in zip(questions, verdicts, strict=True)]
    if stop in (Question.THERE, Question.FREE) and cause in STOPS:
        made_up = Verdict.YES if evidence.made_up else Verdict.NO
        steps.append(Step(Question.MADE_UP, made_up))
    return steps


def _instead(expression: Expression, moment: datetime, cause: Cause) -> datetime | None:
    if cause is Cause.SKIPPED_HOUR:
        before = moment.astimezone(UTC) - timedelta(hours=4)
        return _between(expression, before.astimezone(moment.tzinfo), moment)
    return moment.replace(fold=0) if cause is Cause.REPEATED_HOUR else None


def _between(expression: Expression, since: datetime, skipped: datetime) -> datetime | None:
    """Give the moment, in the first minute after the gap, that stands for a skipped time."""
    for moment in expression.upcoming(since):
        if not expression.matches(moment):
            return moment
        if moment.replace(tzinfo=None) > skipped.replace(tzinfo=None):
            return None
    return None
