"""Runs of a table on disk, as the daemon leaves them behind, for the tests of reports."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from pytest_django.fixtures import Settings

from billclock.cron.crontab import Crontab
from billclock.outbox.channels import mail
from billclock.outbox.models import Message
from billclock.scheduler import output
from billclock.scheduler.models import Entry, Mail, Outcome, Run
from billclock.scheduler.roster import Job, Zones

NIGHT = datetime(2026, 11, 22, 22, tzinfo=UTC)


class Office:
    """A spool, and the runs of its tables; `at` is when the next run was planned."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        settings.SPOOL = folder / "spool"
        settings.RUN_OUTPUTS = folder / "runs"
        settings.HOME = folder
        settings.SPOOL.mkdir()
        self.at = NIGHT
        self._entries: dict[tuple[str, int], Entry] = {}

    def table(self, text: str | bytes, name: str = "root") -> None:
        """Write a table and know its entries anew."""
        from django.conf import settings

        data = text if isinstance(text, bytes) else text.encode()
        (settings.SPOOL / name).write_bytes(data)
        for number, line in enumerate(Crontab.parse(data).entries):
            self._entries[name, number] = Entry.objects.create(
                table=name,
                digest="",
                command_digest="",
                expression=str(line.expression),
                command=line.command.decode("utf-8", "backslashreplace"),
                description=line.description,
                line=line.line,
                first_seen=self.at,
            )

    def entry(self, number: int = 0, name: str = "root") -> Entry:
        """Give the row of the entry of a number (from 0)."""
        return self._entries[name, number]

    def ran(
        self,
        code: int = 0,
        printed: bytes = b"",
        number: int = 0,
        name: str = "root",
        **changes: object,
    ) -> Run:
        """Leave behind a run whose report may be owed."""
        self.at += timedelta(minutes=1)
        given: dict[str, object] = {
            "entry": self.entry(number, name),
            "planned": self.at,
            "started": self.at + timedelta(milliseconds=3),
            "finished": self.at + timedelta(seconds=12),
            "outcome": Outcome.FAILED if code else Outcome.SUCCEEDED,
            "exit_code": code,
            "output_size": len(printed),
            "host": "db1",
            "user": name,
            "mail": Mail.DUE,
        }
        run = Run.objects.create(**(given | changes))
        if printed:
            output.write_all(run.id, printed)
        return run


def mails() -> list[object]:
    """Give what lies in the outbox as mails, in the order in which it was put there."""
    from email import message_from_bytes
    from email.policy import default

    queued = Message.objects.order_by("id").exclude(state="held")
    texts = [mail.mime(message.letter).as_bytes() for message in queued]
    return [message_from_bytes(text, policy=default) for text in texts]


def job(text: str) -> Job:
    """Give the first entry of a crontab as the loop knows it."""
    line = Crontab.parse(text.encode()).entries[0]
    return Job(1, "root", line, Zones().of(line))
