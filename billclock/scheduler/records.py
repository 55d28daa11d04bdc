"""What happened, written in batches: a burst of starts costs one transaction, not a thousand."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import DatabaseError, connections, router, transaction

from billclock.cron.findings import storable
from billclock.scheduler import chains
from billclock.scheduler.chains import Follower
from billclock.scheduler.executors.base import Ending, Launch
from billclock.scheduler.models import Mail, Outcome, Run, Slot

STARTED = "started = %s, pid = %s, pid_started = %s, {user} = %s"
ENDED = (
    "finished = %s, outcome = %s, reason = %s, exit_code = %s, signal = %s, cpu = %s, "
    "memory = %s, output_size = %s, mail = %s, hook = %s"
)

SETTLED = "outcome = %s, reason = %s"
OPEN = "id = %s AND outcome = ''"


@dataclass
class Records:
    """Starts, ends and outcomes that wait to be written; `flush` writes them all or none.

    `followers` are runs that the ends call for; once written they are `arrived`, with their ids.
    """

    host: str = ""

    starts: list[tuple[Any, ...]] = field(default_factory=list)
    ends: list[tuple[Any, ...]] = field(default_factory=list)
    outcomes: list[tuple[Any, ...]] = field(default_factory=list)
    followers: list[Follower] = field(default_factory=list)
    arrived: list[tuple[Follower, int]] = field(default_factory=list)

    def __len__(self) -> int:
        """Count what waits."""
        return len(self.starts) + len(self.ends) + len(self.outcomes) + len(self.followers)

    @property
    def reports(self) -> bool:
        """Tell whether a report or a webhook is due of what waits to be written."""
        return any(Mail.DUE in end for end in self.ends)

    def started(self, launch: Launch, user: str) -> None:
        """Note a process that began."""
        self.starts.append((launch.at, launch.pid, launch.pid_started, user, launch.run))

    def ended(
        self, ending: Ending, outcome: Outcome, reason: str, mail: Mail, hook: Mail = Mail.NONE
    ) -> None:
        """Note a run that is over."""
        # bytes that no database keeps as text would keep all that waits from being written
        self.ends.append(
            (
                *(ending.at, outcome, storable(reason), ending.code, ending.signal),
                *(ending.cpu, ending.memory, ending.output_size, mail, hook, ending.run),
            )
        )

    def unstarted(
        self, run: int, outcome: Outcome, reason: str, mail: Mail, hook: Mail = Mail.NONE
    ) -> None:
        """Note a run that never began, and why."""
        self.ends.append((None, outcome, storable(reason), *(None,) * 4, 0, mail, hook, run))

    def settled(self, slot: int, outcome: Outcome, reason: str) -> None:
        """Note the outcome of a planned moment."""
        self.outcomes.append((outcome, storable(reason), slot))

    def flush(self) -> DatabaseError | None:
        """Write what waits in one transaction; on an error keep it all and give the error."""
        if not len(self):
            return None
        try:
            arrived = self._write()
        except DatabaseError as error:
            return error
        self.starts, self.ends, self.outcomes, self.followers = [], [], [], []
        self.arrived += arrived
        return None

    def _write(self) -> list[tuple[Follower, int]]:
        alias = router.db_for_write(Run)
        connection = connections[alias]
        runs, slots = Run._meta.db_table, Slot._meta.db_table
        started = STARTED.format(user=connection.ops.quote_name("user"))
        # the first outcome stands: whoever comes later finds the row closed
        statements = (
            (f"UPDATE {runs} SET {started} WHERE id = %s", self.starts),  # noqa: S608
            (f"UPDATE {runs} SET {ENDED} WHERE {OPEN}", self.ends),  # noqa: S608
            (f"UPDATE {slots} SET {SETTLED} WHERE {OPEN}", self.outcomes),  # noqa: S608
        )
        adapt = connection.ops.adapt_datetimefield_value
        with transaction.atomic(using=alias), connection.cursor() as cursor:
            for statement, rows in statements:
                if rows:
                    cursor.executemany(
                        statement,
                        [[adapt(v) if isinstance(v, datetime) else v for v in row] for row in rows],
                    )
            return list(chains.insert(self.followers, self.host))
