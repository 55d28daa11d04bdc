"""An entry of a crontab as the jobs page shows it: everything in words, ready to be printed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import cache

from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _

from billclock.cron import shell
from billclock.cron.entry import Entry
from billclock.cron.findings import Finding
from billclock.scheduler import policies
from billclock.scheduler.models import Outcome
from billclock.scheduler.policies import DirectiveError, MailWhen
from billclock.web.history import Past
from billclock.web.kit.marks import Mark
from billclock.web.outcomes import mark
from billclock.web.retold import retold, told
from billclock.web.spark import Spark, spark
from billclock.web.times import Wall, duration
from billclock.web.visible import visible

LONG_COMMAND, KEPT = 36, 12  # characters beyond which a command is cut, those that stay at its end
LONG_FOLDER = 2  # folders of a program's path beyond which the reader is spared them
OF_LAST = 20
PREFIX = "BILLmanager "  # with which most of the article's descriptions begin


@dataclass(frozen=True)
class Badge:
    """A remark at an entry's name, with its reason for who asks."""

    icon: str
    kind: str
    word: str
    why: str


@dataclass(frozen=True)
class When:
    """A moment in words: the day and time, the same within a sentence, how far it is, exactly."""

    day: str
    within: str
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
    prefix: str = ""
    tags: Sequence[str] = ()

    @property
    def name(self) -> str:
        """Name the job: its description, else its command."""
        return f"{self.prefix}{self.title}" or self.command

    @property
    def stem(self) -> str:
        """Give what of the command may be cut where its column is narrow."""
        return self.command.removesuffix(self.end)

    @property
    def end(self) -> str:
        """Give the end of a long command, which tells it apart from others and is never cut."""
        return self.command[-KEPT:] if len(self.command) > LONG_COMMAND else ""


def row(
    entry: Entry,
    key: int | None,
    events: Sequence[Past],
    wall: Wall,
    *,
    zone: tzinfo,
    mailto: bool,
    findings: Sequence[Finding] = (),
    outside: bool = False,
) -> Row:
    """Put one entry, its key and its last events (oldest first) into words.

    `zone` is the one its fields are read in; `mailto` tells whether MAILTO names anybody;
    `findings` are those of its line; `outside` that another program changed it last.
    """
    # that the output is thrown away is told by the report's column
    bare = shell.with_mails(entry.command, True).decode("utf-8", "surrogateescape")
    folder, command = _shortened(visible(bare))
    options, ignored = policies.read(entry.directives, entry.environment)
    mails = options.mail if entry.mails and mailto else MailWhen.NEVER
    going_on = [past.run for past in events if past.started and not past.outcome]
    title = visible(" · ".join(entry.description.split("\n")))
    short = title.removeprefix(PREFIX)
    return Row(
        key=key,
        line=entry.line,
        active=entry.active,
        title=short,
        prefix=title[: len(title) - len(short)],
        folder=folder,
        command=command,
        whole=visible(entry.command.decode("utf-8", "surrogateescape")),
        words=entry.expression.describe(language()),
        expression=str(entry.expression).strip(),
        zone="" if zone == wall.zone else str(zone),
        next=when(entry.expression.next(wall.now.astimezone(zone)), wall) if entry.active else None,
        last=_last(events[-1], wall) if events else None,
        spark=spark(events),
        mail=mail_words()[mails],
        mail_icon="mail-x" if mails is MailWhen.NEVER else "mail",
        badges=[*_badges(events, ignored), *_remarks(entry, findings, outside=outside)],
        going_on=going_on[-1] if going_on else None,
        tags=options.tags,
    )


def when(moment: datetime | None, wall: Wall) -> When | None:
    """Put a moment into words; None stays None."""
    if moment is None:
        return None
    return When(wall.when(moment), wall.within(moment), wall.distance(moment), wall.exactly(moment))


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
        details.append(retold(past.reason))
    return Last(shown, when(past.at, wall), " · ".join(details), past.run)


def _badges(events: Sequence[Past], ignored: Sequence[DirectiveError]) -> Iterator[Badge]:
    """Mark what lately happened, and directives that are no use."""
    missed = sum(past.count for past in events if past.outcome == Outcome.MISSED)
    skipped = sum(past.reason.startswith("overlap") for past in events)
    if missed:
        why = _("Among the last %d moments.") % OF_LAST
        yield Badge("circle-dashed", "warn", _("missed %d") % missed, why)
    if skipped:
        why = _("An earlier run was still going on.")
        yield Badge("skip-forward", "", _("overlap skipped ×%d") % skipped, why)
    for error in ignored:
        yield Badge("triangle-alert", "warn", _("directive ignored"), told(error))


def _remarks(entry: Entry, findings: Sequence[Finding], *, outside: bool) -> Iterator[Badge]:
    """Mark what the line itself gives to think about."""
    if outside:
        why = _("Another program changed this line within the last day.")
        yield Badge("external-link", "", _("changed outside"), why)
    if not entry.mails and not shell.is_simple(entry.shell_command):
        why = _("The shell throws the output away: the history of runs will not have it.")
        yield Badge("trash-2", "", _("output discarded"), why)
    words = _remark_words()
    for code in dict.fromkeys(one.code for one in findings if one.code in words):
        icon, kind, word = words[code]
        why = "; ".join(retold(one.message) for one in findings if one.code == code)
        yield Badge(icon, kind, word, visible(why))


def _remark_words() -> Mapping[str, tuple[str, str, str]]:
    return _remarks_in(get_language() or "")


@cache
def _remarks_in(_language: str) -> Mapping[str, tuple[str, str, str]]:
    twice = ("copy", "warn", _("duplicate"))
    return {
        "same_minute_twice": twice,
        "billing_job_twice": twice,
        "clock_change": ("history", "warn", _("clock change")),
        "program_missing": ("triangle-alert", "warn", _("program missing")),
        "unclosed_quote": ("triangle-alert", "bad", _("quote left open")),
        "every_minute_of_hour": ("triangle-alert", "warn", _("60 times an hour")),
        "cut_redirect": ("triangle-alert", "warn", _("redirection cut short")),
        "percent_in_date": ("triangle-alert", "warn", _("bare % sign")),
    }


def mail_words() -> Mapping[MailWhen, str]:
    """Name when a run is reported."""
    return _mails_in(get_language() or "")


@cache
def _mails_in(_language: str) -> Mapping[MailWhen, str]:
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
