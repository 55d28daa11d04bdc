"""The steps to a start, each with its answer and what is known about it."""

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from billclock.scheduler.models import Trigger
from billclock.scheduler.why import Answer, Cause, Evidence, Question, Step, Verdict
from billclock.web.problems_said import reason, said, scope
from billclock.web.times import Wall
from billclock.web.visible import visible


@dataclass(frozen=True)
class StepLine:
    """A question, its answer in a word, and what is known about it."""

    question: str
    details: str
    kind: str
    icon: str
    word: str


def steps(answer: Answer, evidence: Evidence, wall: Wall) -> list[StepLine]:
    """Give every step with its answer in a word and what is known of it."""
    known = _known(answer, evidence, wall)
    return [
        StepLine(
            question=_questions()[step.question],
            details="" if step.verdict is Verdict.MOOT else known[step.question],
            kind=_looks(step)[0],
            icon=_looks(step)[1],
            word=_verdicts()[step.verdict],
        )
        for step in answer.steps
    ]


def _looks(step: Step) -> tuple[str, str]:
    """Give the kind and the icon of an answer; what nothing made up for stopped nothing."""
    if step.verdict is Verdict.YES:
        return "ok", "circle-check"
    if step.verdict is Verdict.NO and step.question is not Question.MADE_UP:
        return "bad", "circle-x"
    return "off", "circle-dashed"


def _questions() -> dict[Question, str]:
    return {
        Question.READ: _("Was the table read?"),
        Question.ON: _("Was the job on?"),
        Question.FITS: _("Did the schedule ask for it?"),
        Question.THERE: _("Was the scheduler there in time?"),
        Question.FREE: _("Was it free to start?"),
        Question.MADE_UP: _("Was it made up for?"),
    }


def _verdicts() -> dict[Verdict, str]:
    return {
        Verdict.YES: pgettext("verdict", "yes"),
        Verdict.NO: pgettext("verdict", "no"),
        Verdict.MOOT: pgettext("verdict", "not reached"),
    }


def _known(answer: Answer, evidence: Evidence, wall: Wall) -> dict[Question, str]:
    """Say what is known at each step."""
    text = evidence.text
    known = dict.fromkeys(Question, "")
    if text:
        texts = {"version": text.version, "when": said(text.since, wall), "line": text.line}
        known[Question.READ] = _("Version %(version)d, in force since %(when)s.") % texts
        known[Question.ON] = _("Line %(line)d of that text.") % texts if text.line else ""
        known[Question.FITS] = str(text.expression)
    if answer.cause is Cause.IGNORED:
        known[Question.READ] = visible(evidence.ignored)
    known[Question.THERE] = _there(answer, evidence, wall)
    if answer.pause:
        texts = {"who": visible(answer.pause.actor), "what": scope(answer.pause.scope)}
        known[Question.FREE] = _("%(who)s paused %(what)s.") % texts
    elif answer.cause is Cause.OVERLAP and answer.run:
        known[Question.FREE] = _("Run %d was still going on.") % answer.run.run
    elif answer.cause is Cause.REFUSED:
        known[Question.FREE] = reason(evidence)
    known[Question.MADE_UP] = _made_up(evidence)
    return known


def _made_up(evidence: Evidence) -> str:
    if evidence.made_up and evidence.made_up.trigger in (Trigger.MANUAL, Trigger.API):
        return _("By hand, by run %d.") % evidence.made_up.run
    if evidence.catches_up:
        return _("After a moment is missed: once, as its directive says.")
    return _("After a moment is missed: skip, the rule for jobs that set nothing.")


def _there(answer: Answer, evidence: Evidence, wall: Wall) -> str:
    if answer.cause is Cause.ELSEWHERE:
        return "BILLCLOCK_RUNS=no"
    if answer.cause is Cause.MISSED and evidence.settled:
        settled = evidence.settled
        if settled.count == 1:
            return reason(evidence)
        texts = {
            "count": settled.count,
            "first": said(settled.first, wall),
            "last": said(settled.last, wall),
        }
        return f"{reason(evidence)} · {_('%(count)d moments from %(first)s to %(last)s') % texts}"
    if evidence.served is None:
        return _("it has never run here")
    return _("Moments were seen to up to %s.") % said(evidence.served, wall)
