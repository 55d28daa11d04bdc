"""An entry of a crontab as the jobs page shows it: everything in words, ready to be printed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _

from billclock.cron import shell
from billclock.cron.entry import Entry
from billclock.scheduler import policies
from billclock.scheduler.models import Outcome
from billclock.scheduler.policies import MailWhen
from billclock.web.history import Past
from billclock.web.outcomes import Mark, mark
from billclock.web.spark import Spark, spark
from billclock.web.times import Wall, duration

LONG_FOLDER = 2  # folders of a program's path beyond which the reader is spared them
OF_LAST = 20


@dataclass(frozen=True)
class Badge:
    """A remark at an entry's name, with its reason for who asks."""

    icon: str
    kind: str
    word: str
    why: str


@dataclass(frozen=True)
class When:
    """A moment in words: the day and time, how far it is, and exactly."""

    day: str
    distance: str
    exactly: str


@dataclass(frozen=True)
class Last:
    """What happened last: how it ended, when, and what there is to say about it."""

    mark: Mark
    when: When | None
    details: str
    run: int | None


@dataclass(frozen=True)
class Row:
    """One line of the jobs table.

    `key` is None until the scheduler has read the entry, `title` empty without a description.
    """

    key: int | None
    line: int
    active: bool
    title: str
    folder: str
    command: str
    whole: str
    words: str
    expression: str
    zone: str
    next: When | None
    last: Last | None
    spark: Spark | None
    mail: str
    mail_icon: str
    badges: Sequence[Badge]
    going_on: int | None


def row(
    entry: Entry,
    key: int | None,
    events: Sequence[Past],
    wall: Wall,
    *,
    zone: tzinfo,
    mailto: bool,
) -> Row:
    """Put one entry, its key and its last events (oldest first) into words.

    `zone` is the one its fields are read in; `mailto` tells whether MAILTO names anybody.
    """
    # that the output is thrown away is told by the report's column
    folder, command = _shortened(shell.with_mails(entry.command, True).decode("utf-8", "replace"))
    mails = policies.read(entry.directives)[0].mail if entry.mails and mailto else MailWhen.NEVER
    going_on = [past.run for past in events if past.started and not past.outcome]
    return Row(
        key=key,
        line=entry.line,
        active=entry.active,
        title=entry.description,
        folder=folder,
        command=command,
        whole=entry.command.decode("utf-8", "replace"),
        words=entry.expression.describe(language()),
        expression=str(entry.expression).strip(),
        zone="" if zone == wall.zone else str(zone),
        next=when(entry.expression.next(wall.now.astimezone(zone)), wall) if entry.active else None,
        last=_last(events[-1], wall) if events else None,
        spark=spark(events),
        mail=_mail_words()[mails],
        mail_icon="mail-x" if mails is MailWhen.NEVER else "mail",
        badges=[*_badges(entry, events)],
        going_on=going_on[-1] if going_on else None,
    )


def when(moment: datetime | None, wall: Wall) -> When | None:
    """Put a moment into words; None stays None."""
    if moment is None:
        return None
    return When(wall.when(moment), wall.distance(moment), wall.exactly(moment))


def language() -> str:
    """Name the reader's language as `Expression.describe` wants it."""
    return "ru" if (get_language() or "").startswith("ru") else "en"


def _last(past: Past, wall: Wall) -> Last:
    shown = mark(past.outcome, started=past.started is not None)
    seconds = past.seconds
    details = [duration(seconds)] if seconds is not None else []
    if past.started and not past.outcome:
        details.append(_("for %s") % duration(wall.now - past.started))
    if past.exit_code:
        details.append(_("exit code %d") % past.exit_code)
    if past.signal:
        details.append(_("signal %d") % past.signal)
    if past.count > 1:
        details.append(_("%d moments") % past.count)
    if not details and past.reason:
        details.append(past.reason)
    return Last(shown, when(past.at, wall), " · ".join(details), past.run)


def _badges(entry: Entry, events: Sequence[Past]) -> list[Badge]:
    found = []
    missed = sum(past.count for past in events if past.outcome == Outcome.MISSED)
    skipped = sum(past.reason.startswith("overlap") for past in events)
    if missed:
        why = _("Among the last %d moments.") % OF_LAST
        found.append(Badge("circle-dashed", "warn", _("missed %d") % missed, why))
    if skipped:
        why = _("An earlier run was still going on.")
        found.append(Badge("skip-forward", "", _("overlap skipped ×%d") % skipped, why))
    ignored = policies.read(entry.directives)[1]
    found += [Badge("triangle-alert", "warn", _("directive ignored"), str(e)) for e in ignored]
    return found


def _mail_words() -> Mapping[MailWhen, str]:
    return {
        MailWhen.NEVER: pgettext("report", "Never"),
        MailWhen.FAILURE: pgettext("report", "Failure"),
        MailWhen.OUTPUT: pgettext("report", "Output"),
        MailWhen.ALWAYS: pgettext("report", "Always"),
    }


def _shortened(command: str) -> tuple[str, str]:
    """Part a command into the folder of its program and the rest, which is what tells it apart."""
    program = command.split(maxsplit=1)[0] if command.strip() else ""
    folder, slash, _name = program.rpartition("/")
    if folder.count("/") <= LONG_FOLDER:
        return "", command
    return folder + slash, command[command.index(program) + len(folder) + 1 :]
