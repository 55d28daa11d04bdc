"""The one mail of a morning that lists the runs whose reports the night's limit withheld."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db.models import Count, Max, Min

from billclock import clock
from billclock.outbox import messages
from billclock.outbox.channels import Letter
from billclock.outbox.models import Message
from billclock.scheduler import chosen, report_text
from billclock.scheduler import report_limits as limits
from billclock.scheduler.addressing import addressing, one_line
from billclock.scheduler.models import Mail, Run
from billclock.scheduler.report_text import when
from billclock.scheduler.roster import Job

LINES = 100
"""The most kinds of endings a digest lists."""

Find = Callable[[Run], Job]


def hold(table: str, morning: datetime, at: datetime) -> None:
    """Keep the place of the digest of the night that ends at `morning`; its text comes then."""
    letter = Letter(
        channel="mail",
        dedupe_key=f"digest:{table}:{morning.isoformat()}",
        recipients=(),
        at=at,
        group=limits.group(table),
        payload={"table": table, "since": at.isoformat()},
    )
    messages.put(letter, held_until=morning)


def write_ripe(at: datetime, find: Find) -> None:
    """Write the digests whose morning has come; also those a clock set back would keep longer."""
    for message in Message.objects.ripe(at).filter(group__startswith=limits.group("")):
        _write(message, at, find)


def _write(message: Message, at: datetime, find: Find) -> None:
    """Give a digest its text and let it go, or delete it where nothing is left to tell."""
    withheld = Run.objects.filter(mail=Mail.WITHHELD, entry__table=message.payload["table"])
    alike = _alike(message.payload["table"])
    if not alike:
        message.delete()
        return
    newest = [row["newest"] for row in alike]
    runs = Run.objects.select_related("entry").in_bulk(newest[:LINES])
    addressings = [addressing(find(run), run.host) for run in runs.values()]
    recipients = dict.fromkeys(r for to in addressings for r in to.recipients)
    count = sum(row["n"] for row in alike)
    letter = Letter(
        channel="mail",
        dedupe_key=message.dedupe_key,
        recipients=tuple(recipients),
        at=at,
        sender=addressings[0].sender,
        subject=_subject(message.payload["table"], runs[newest[0]].host, count),
        body=_body(alike, count, datetime.fromisoformat(message.payload["since"])),
        headers=report_text.AUTOMATIC,
        payload=message.payload,
    )
    messages.let_go(letter)
    withheld.filter(id__lte=max(newest)).update(mail=Mail.WRITTEN)


def _alike(table: str) -> list[dict[str, Any]]:
    """Count a table's withheld runs by entry and ending, the most frequent first."""
    withheld = Run.objects.filter(mail=Mail.WITHHELD, entry__table=table)
    rows = withheld.values("entry", "entry__command", "outcome", "exit_code", "signal")
    moment = limits.moment()
    counted = rows.annotate(n=Count("id"), first=Min(moment), last=Max(moment), newest=Max("id"))
    return [dict(row) for row in counted.order_by("-n", "entry")]


def _subject(table: str, host: str, count: int) -> str:
    return f"Cron <{one_line(table)}@{host}> {count:,} more reports"


def _body(alike: list[dict[str, Any]], count: int, since: datetime) -> str:
    zone = clock.server_zone()
    text = [
        f"{count:,} more reports were due since {when(since, zone)}.",
        f"At most {chosen.in_force().mail_a_night} mails a day are sent for one crontab.",
    ]
    for row in alike[:LINES]:
        ending = report_text.ending(row["outcome"], row["exit_code"], row["signal"])
        times = f"{row['n']:,} times" if row["n"] > 1 else "once"
        text += ["", one_line(row["entry__command"])[: report_text.COMMAND]]
        text += [f"{ending}: {times}, {when(row['first'], zone)}"]
        if row["n"] > 1:
            text[-1] += f" to {when(row['last'], zone)}"
    if len(alike) > LINES:
        text += ["", f"and {sum(row['n'] for row in alike[LINES:]):,} more"]
    return "\n".join([*text, "", f"All runs: {report_text.page()}", ""])
