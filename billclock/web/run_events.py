"""What happened around a run, in order: its claim, start, attempts, end, mail, who stopped it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from billclock.accounts.models import AuditRow
from billclock.outbox.models import Message
from billclock.scheduler import hooks
from billclock.scheduler.models import Mail, Run
from billclock.scheduler.report_limits import topic
from billclock.web.outcomes import mark
from billclock.web.retold import retold
from billclock.web.rows import When, when
from billclock.web.run_lines import trigger_word
from billclock.web.times import Wall, duration
from billclock.web.visible import visible


@dataclass(frozen=True)
class Event:
    """Something that happened: when (None where that is not kept), what, and more about it."""

    at: datetime | None
    word: str
    more: str = ""
    run: int | None = None
    shown: When | None = None


def events(run: Run, wall: Wall) -> list[Event]:
    """Give what is known to have happened, the first first: four queries."""
    found = [
        *_begun(run),
        *_attempts(run),
        *_stops(run),
        *_ended(run),
        *_mailed(run),
        *_hooked(run),
    ]
    last = run.finished or run.started or run.planned or wall.now
    found.sort(key=lambda event: event.at or last)
    return [
        Event(event.at, event.word, visible(event.more), event.run, when(event.at, wall))
        for event in found
    ]


def _begun(run: Run) -> Iterator[Event]:
    if run.slot is not None:
        more = _("slot %(slot)d, by %(host)s") % {"slot": run.slot.pk, "host": run.host or "-"}
        yield Event(run.slot.claimed_at, _("Due and claimed"), more)
    if run.started:
        parts = [trigger_word(run.trigger), *([run.actor] if run.actor else [])]
        if run.planned:
            late = max((run.started - run.planned).total_seconds(), 0.0)
            parts.append(_("%s late") % duration(late))
        if run.pid:
            parts.append(_("process %d") % run.pid)
        yield Event(run.started, _("Started"), ", ".join(parts))


def _attempts(run: Run) -> Iterator[Event]:
    """Tell of the other attempts at the same moment."""
    if run.slot is None:
        return
    for other in Run.objects.filter(slot=run.slot).exclude(pk=run.pk).order_by("attempt")[:50]:
        word = _("Attempt %(number)d: %(outcome)s") % {
            "number": other.attempt,
            "outcome": mark(other.outcome, started=other.started is not None).word,
        }
        yield Event(other.started or other.planned, word, retold(other.reason), other.pk)


def _stops(run: Run) -> Iterator[Event]:
    rows = AuditRow.objects.filter(act="run.stop", subject=str(run.pk)).order_by("id")[:20]
    for row in rows:
        yield Event(row.at, _("Asked to stop: TERM, then KILL"), row.actor)


def _ended(run: Run) -> Iterator[Event]:
    if not run.outcome:
        return
    ended = [_("exit code %d") % run.exit_code] if run.exit_code is not None else []
    ended += [_("signal %d") % run.signal] if run.signal else []
    ended += [retold(run.reason)] if run.reason else []
    yield Event(run.finished, str(mark(run.outcome).word).capitalize(), ", ".join(ended))


def _mailed(run: Run) -> Iterator[Event]:
    if run.mail == Mail.DUE:
        yield Event(run.finished, _("A report is due"))
    elif run.mail == Mail.WITHHELD:
        yield Event(run.finished, _("Report withheld"), _("a limit of mails was reached"))
    elif run.mail == Mail.WRITTEN and run.finished:
        letters = Message.objects.filter(topic=topic(run.entry_id), created__gte=run.finished)
        letter = letters.order_by("created").first()
        to = ", ".join(letter.recipients) if letter else ""
        yield Event(letter.created if letter else run.finished, _("Report written"), to)


def _hooked(run: Run) -> Iterator[Event]:
    if run.hook == Mail.DUE:
        yield Event(run.finished, _("A webhook is due"))
    elif run.hook == Mail.WITHHELD:
        more = _("more than %d of its table in an hour") % hooks.AN_HOUR
        yield Event(run.finished, _("Webhook withheld"), more)
    elif run.hook == Mail.WRITTEN:
        for message in Message.objects.filter(dedupe_key__in=hooks.keys(run.pk)):
            word = f"{message.get_state_display()}: {message.last_error}".rstrip(": ")
            to = ", ".join(message.recipients)
            yield Event(message.sent_at or message.created, _("Webhook written"), f"{to}, {word}")
