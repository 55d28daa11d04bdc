"""A mail that only says that mail works: sent as a table's reports are, to whom they go."""

import socket
from uuid import uuid4

from django.utils.translation import gettext as _

from billclock import clock
from billclock.cron.crontab import Crontab
from billclock.outbox import messages
from billclock.outbox.channels import Letter
from billclock.scheduler.addressing import Addressing, addressing
from billclock.scheduler.roster import Job
from billclock.web.table_form import above, assigned


def put(table: str, crontab: Crontab) -> Addressing:
    """Put a trial letter into the outbox, and give how it is addressed.

    Where nobody gets reports there is no letter, and the answer names no recipients.
    """
    host = socket.gethostname()
    # a job with the variables of the whole table and none of its own
    lone = assigned(Crontab.parse(b"@daily true\n"), above(crontab))
    to = addressing(Job(0, table, lone.entries[0], clock.server_zone()), host)
    if to.recipients:
        at = clock.now()
        messages.put(
            Letter(
                channel="mail",
                dedupe_key=f"trial:{uuid4()}",
                recipients=to.recipients,
                at=at,
                sender=to.sender,
                subject=_("Billclock on %(host)s: mail of the table %(table)s arrives")
                % {"host": host, "table": table},
                body=_("Reports of this table's jobs come this way. Nothing else is to do.") + "\n",
                payload={"subtype": "plain", "charset": "utf-8"},
            )
        )
    return to
