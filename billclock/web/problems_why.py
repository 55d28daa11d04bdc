"""Why a job did not run at a moment, in words: one sentence, what followed, the five fields."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from billclock.scheduler.evidence import gather
from billclock.scheduler.models import Entry
from billclock.scheduler.why import Answer, Cause, Evidence, Field, Held, Question, judge
from billclock.web.outcomes import mark
from billclock.web.problems_around import Around, around
from billclock.web.problems_found import Found
from billclock.web.problems_remedies import ask
from billclock.web.problems_said import reason, said, scope
from billclock.web.problems_steps import StepLine, steps
from billclock.web.rows import language
from billclock.web.times import Wall
from billclock.web.visible import visible


@dataclass(frozen=True)
class Window:
    """One field of the moment, as a clock with five windows shows it."""

    name: str
    value: str
    text: str
    state: str
    word: str


@dataclass(frozen=True)
class Why:
    """An answer as the page shows it."""

    title: str
    entry: int
    cause: str
    answer: str
    more: str
    run: int | None
    windows: Sequence[Window]
    schedule: str
    around: Around
    steps: Sequence[StepLine]
    neighbours: Sequence[tuple[str, str]]
    instead: str
    second_pass: str
    can_run: bool
    can_catch_up: bool
    can_switch_on: bool


def why(entry: Entry, moment: datetime, found: Found) -> Why:
    """Answer for an entry's row and a moment in the server's zone."""
    wall = found.wall
    evidence = gather(entry, moment)
    answer = judge(evidence)
    text = evidence.text
    stopped = answer.cause in _CAN_CATCH_UP
    return Why(
        title=found.title(entry.pk),
        entry=entry.pk,
        cause=answer.cause.name.lower(),
        answer=capfirst(_answer(answer, evidence, wall)),
        more=_more(answer, evidence, wall),
        run=answer.run.run if answer.run else None,
        windows=[_window(field, evidence.moment) for field in answer.fields],
        schedule=text.expression.describe(language()) if text else "",
        around=around(entry, evidence, wall),
        steps=steps(answer, evidence, wall),
        neighbours=_neighbours(entry.pk, answer, wall),
        instead=ask(entry.pk, answer.instead, wall) if answer.instead else "",
        second_pass=_second_pass(entry.pk, moment),
        can_run=answer.cause not in (Cause.COMING, Cause.WAITING),
        can_catch_up=stopped and not evidence.catches_up,
        can_switch_on=answer.cause is Cause.OFF and not entry.active,
    )


_CAN_CATCH_UP = (Cause.MISSED, Cause.DOWN)


def _answer(answer: Answer, evidence: Evidence, wall: Wall) -> str:
    """Give the answer in one sentence."""
    moment = evidence.moment
    texts = {"moment": said(moment, wall), "time": f"{moment:%H:%M}"}
    match answer.cause:
        case Cause.RAN if answer.run:
            texts["outcome"] = str(mark(answer.run.outcome).word)
            if answer.run.outcome:
                return _("It did run on %(moment)s, and %(outcome)s.") % texts
            return _("It did start on %(moment)s, and is still running.") % texts
        case Cause.FIELDS:
            texts["fields"] = ", ".join(
                str(_field_names()[field.name]) for field in _wrong(answer.fields)
            )
            return _("Its schedule did not ask for %(moment)s: %(fields)s did not fit.") % texts
        case Cause.PAUSED:
            return _paused(answer.pause, texts, wall)
        case Cause.OVERLAP if answer.run and answer.run.started:
            texts |= {"run": str(answer.run.run), "begun": said(answer.run.started, wall)}
            return (
                _("It was planned for %(time)s, but run %(run)s of %(begun)s was still going on.")
                % texts
            )
        case Cause.MISSED:
            texts["reason"] = reason(evidence)
            return _("It was planned for %(moment)s and missed: %(reason)s.") % texts
        case Cause.REFUSED:
            texts["reason"] = reason(evidence)
            return _("It was due on %(moment)s, but could not be started: %(reason)s.") % texts
    return _sentences()[answer.cause] % texts


def _sentences() -> dict[Cause, str]:
    return {
        Cause.RAN: _("It did run on %(moment)s."),
        Cause.COMING: _("%(moment)s is still to come, and its start is planned."),
        Cause.WAITING: _("It is due on %(moment)s, and waits to begin."),
        Cause.NO_TEXT: _("Nothing is known of this table on %(moment)s."),
        Cause.IGNORED: _("Its table is not run."),
        Cause.ABSENT: _("The table did not have this job on %(moment)s."),
        Cause.OFF: _("It was switched off on %(moment)s."),
        Cause.SKIPPED_HOUR: _("There was no %(moment)s: the clocks jumped over it."),
        Cause.REPEATED_HOUR: _(
            "%(time)s came twice that day, and a fixed time runs in the first pass only."
        ),
        Cause.REBOOT: _("It has no time of day: it runs when the machine starts."),
        Cause.ELSEWHERE: _("Another cron runs this table: Billclock starts nothing of it."),
        Cause.DOWN: _("It was planned for %(moment)s, but the scheduler was not running."),
        Cause.NOT_KEPT: _("Its schedule asked for %(moment)s, but nothing of that is kept."),
        Cause.OVERLAP: _("It was planned for %(moment)s, but an earlier run was still going on."),
    }


def _paused(pause: Held | None, texts: dict[str, str], wall: Wall) -> str:
    if pause is None:
        return _("It was planned for %(moment)s, but starts were paused.") % texts
    texts |= {"what": scope(pause.scope), "since": said(pause.since, wall)}
    if pause.until is None:
        return _("It was planned for %(time)s, but %(what)s are paused since %(since)s.") % texts
    texts["until"] = said(pause.until, wall)
    return (
        _("It was planned for %(time)s, but %(what)s were paused from %(since)s to %(until)s.")
        % texts
    )


def _more(answer: Answer, evidence: Evidence, wall: Wall) -> str:
    """Say what became of it, and where to look for what was asked for instead."""
    made_up = evidence.made_up
    if answer.cause is Cause.SKIPPED_HOUR and answer.instead:
        return _("It ran once in its place, right after the gap, at %s.") % said(
            answer.instead, wall
        )
    stopped = {step.question for step in answer.steps}
    if Question.MADE_UP in stopped and made_up and made_up.started:
        texts = {"when": said(made_up.started, wall), "outcome": str(mark(made_up.outcome).word)}
        return _("It was made up for on %(when)s: %(outcome)s.") % texts
    if Question.MADE_UP in stopped and answer.after:
        return _("Nothing made up for it. Its next moment after that: %s.") % said(
            answer.after, wall
        )
    if answer.cause is Cause.IGNORED:
        return visible(evidence.ignored)
    return ""


def _wrong(fields: Iterable[Field]) -> list[Field]:
    return [field for field in fields if not field.fits and not field.needless]


def _field_names() -> dict[str, str]:
    return {
        "minute": pgettext("field", "minute"),
        "hour": pgettext("field", "hour"),
        "day-of-month": pgettext("field", "day"),
        "month": pgettext("field", "month"),
        "day-of-week": pgettext("field", "weekday"),
    }


def _window(field: Field, moment: datetime) -> Window:
    values = {
        "month": date_format(moment.replace(tzinfo=None), "M"),
        "day-of-week": date_format(moment.replace(tzinfo=None), "D"),
    }
    state, word = "bad", _("does not fit")
    if field.fits:
        state, word = "ok", _("fits")
    elif field.needless:
        state, word = "off", _("the other day fits")
    name = str(_field_names()[field.name])
    value = values.get(field.name, f"{field.value:02}")
    return Window(name[:1].upper() + name[1:], value, field.text, state, word)


def _neighbours(entry: int, answer: Answer, wall: Wall) -> list[tuple[str, str]]:
    """Give the moments around that the schedule does ask for, to ask about them."""
    moments = (answer.before, answer.after) if answer.cause is Cause.FIELDS else ()
    return [(said(at, wall), ask(entry, at, wall)) for at in moments if at]


def _second_pass(entry: int, moment: datetime) -> str:
    """Give the address of the same wall time an hour later, where it comes twice."""
    again = moment.replace(fold=1)
    if moment.fold or again.astimezone(UTC) <= moment.astimezone(UTC):
        return ""
    return f"{reverse('problems')}?entry={entry}&at={moment:%Y-%m-%dT%H:%M}&pass=2#why"
