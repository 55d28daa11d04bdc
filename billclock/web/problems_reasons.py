"""Why something is a problem, in a sentence or two for each kind."""

from collections.abc import Callable, Mapping

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billclock.scheduler import output
from billclock.scheduler.problems import Group, Kind
from billclock.web import terminal
from billclock.web.outcomes import mark
from billclock.web.retold import retold
from billclock.web.times import Wall, span

TAIL = 4096  # bytes of an output's end in which its last line is looked for


def _failing(group: Group, wall: Wall) -> str:
    del wall
    first = group.first
    said = [ended(first.outcome, first.exit_code, first.signal)]
    if first.count > 1:
        said.append(ngettext("%d time in a row", "%d times in a row", first.count) % first.count)
    told = retold(first.reason) or _last_line(first.run)
    return ", ".join(said) + (f": {told}" if told else ".")


def ended(outcome: str, code: int | None, signal: int | None) -> str:
    """Say how a run ended, and what its exit code means where shells agree on it."""
    known = {
        126: _("the shell may not execute the program (exit code 126)"),
        127: _("the shell does not find the program (exit code 127)"),
    }
    if code in known:
        return known[code]
    word = str(mark(outcome).word)
    if signal:
        return _("%(outcome)s by signal %(number)d") % {"outcome": word, "number": signal}
    if code:
        return _("%(outcome)s with exit code %(code)d") % {"outcome": word, "code": code}
    return word


def _last_line(run: int | None) -> str:
    """Give the last line that a run printed, which mostly says what went wrong."""
    if run is None:
        return ""
    end = output.size(run)
    lines = terminal.lines(output.read(run, max(end - TAIL, 0), limit=TAIL).data)
    return next((line.strip() for line in reversed(lines) if line.strip()), "")[:200]


def _overdue(group: Group, wall: Wall) -> str:
    first = group.first
    texts = {"span": span(first.seconds), "moment": wall.within(first.at)}
    return _("It was to succeed within %(span)s of %(moment)s.") % texts


def _late(group: Group, wall: Wall) -> str:
    del wall
    worst = max(problem.seconds for problem in group.problems)
    return _("By up to %s. The machine was overloaded, or the scheduler was away.") % span(worst)


def _waiting(group: Group, wall: Wall) -> str:
    until = wall.within(max(problem.at for problem in group.problems))
    return _("The clock was set back. Moments that had their run wait until %s passes.") % until


def _outside(group: Group, wall: Wall) -> str:
    first = group.first
    texts = {"number": first.line, "moment": wall.within(first.at)}
    return _("By another program than Billclock, last on %(moment)s: version %(number)d.") % texts


def _unheard(group: Group, wall: Wall) -> str:
    first = group.first
    texts = {"address": first.subject, "fault": first.reason}
    if first.since is None:
        return _("%(address)s was never reached: %(fault)s") % texts
    texts["moment"] = wall.within(first.since)
    return _("%(address)s was last reached %(moment)s; since then: %(fault)s") % texts


def _change(group: Group, wall: Wall) -> str:
    first = group.first
    texts = {"time": first.subject, "day": wall.within(first.at)}
    if first.reason == "skipped":
        return _("%(time)s is skipped (%(day)s): it runs once, right after the gap.") % texts
    return _("%(time)s comes twice (%(day)s): it runs once, in the first pass.") % texts


def _plain(group: Group, wall: Wall) -> str:
    """Give the reason as it was kept."""
    del wall
    reason = group.first.reason
    return retold(reason)


def _say(words: Callable[[], str]) -> Callable[[Group, Wall], str]:
    return lambda _group, _wall: words()


WHY: Mapping[Kind, Callable[[Group, Wall], str]] = {
    Kind.FAILING: _failing,
    Kind.STUCK: _say(lambda: _("Far longer than its runs usually take.")),
    Kind.OVERDUE: _overdue,
    Kind.IGNORED: _plain,
    Kind.BROKEN: _plain,
    Kind.NEVER: _plain,
    Kind.CHAIN: _plain,
    Kind.MISSED: _plain,
    Kind.WAITING: _waiting,
    Kind.CLOCK: _plain,
    Kind.MAIL: _plain,
    Kind.HEARTBEAT: _unheard,
    Kind.LATE: _late,
    Kind.SKIPPED: _say(lambda: _("The run before was still going on.")),
    Kind.PAUSED: _say(lambda: _("Starts were paused on purpose.")),
    Kind.DUPLICATE: _say(
        lambda: _("Another line of the table starts the same command in the same minute.")
    ),
    Kind.OUTSIDE: _outside,
    Kind.CHANGE: _change,
}
