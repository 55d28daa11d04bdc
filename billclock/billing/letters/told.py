"""Who was truly told: notices whose letter somebody took, or whose news staff passed on by hand.

An account without anybody who can be written to, or whose people's addresses all refuse mail,
is not told by the clock: it becomes a task for staff, and counts as told when that task is done.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime

from django.db import models, transaction
from django.db.models import OuterRef, Subquery
from django.db.models.functions import Coalesce

from billclock import clock
from billclock.billing.clients import Account
from billclock.billing.notice_kinds import KINDS
from billclock.billing.notifications import CHANNEL, Notice
from billclock.billing.services import Task
from billclock.outbox.models import Message, State

TASK = "tell the client"
"""The kind of a task to tell a client by other means what no letter could."""

_ACCOUNTS_AT_ONCE = 5000


def told_at(
    kind: str,
    *,
    account: OuterRef,
    period: OuterRef | date,
    subject: OuterRef | int = 0,
    threshold: OuterRef | int | None = 0,
) -> Subquery:
    """Give, for an annotation, the moment since which an account knows of a notice, or null.

    For instance of services: `told_at("not_renewed", account=OuterRef("account"),
    period=OuterRef("unfunded_since"))`. A threshold of None takes the first of all.
    """
    notices = Notice.objects.filter(account=account, kind=kind, subject=subject, period=period)
    if threshold is not None:
        notices = notices.filter(threshold=threshold)
    known = notices.annotate(at=_known_at()).exclude(at=None)
    return Subquery(known.order_by("at").values("at")[:1])


def went_out(accounts: Collection[int], kind: str, period: date) -> dict[int, datetime]:
    """Give, of some accounts, those that know of a notice, and since when.

    Takes a statement for each 5,000 accounts. A letter that waits has not gone out.
    """
    told: dict[int, datetime] = {}
    keys = sorted(accounts)
    for start in range(0, len(keys), _ACCOUNTS_AT_ONCE):
        some = keys[start : start + _ACCOUNTS_AT_ONCE]
        found = Notice.objects.filter(account__in=some, kind=kind, subject=0, period=period)
        known = found.annotate(at=_known_at()).exclude(at=None).order_by("-at")
        told |= dict(known.values_list("account_id", "at"))
    return told


def _known_at() -> Coalesce:
    """Give the moment somebody took the letter, or staff told the client.

    Who does not want letters of a kind that one may leave off counts as told at once.
    """
    message = Message.objects.filter(dedupe_key=OuterRef("message"))
    unwanted = message.filter(state=State.UNWANTED)
    task = Task.objects.filter(key=OuterRef("message")).values("done_at")
    return Coalesce(
        Subquery(message.values("sent_at")[:1]),
        Subquery(unwanted.values("created")[:1]),
        Subquery(task[:1]),
    )


@transaction.atomic
def hand_over() -> int:
    """Make tasks of the letters that nobody took and that must be known; give how many are new."""
    groups = [f"{CHANNEL} {kind.name}" for kind in KINDS.values() if not kind.optional]
    lost = Message.objects.filter(state=State.FAILED, sent_at=None, group__in=groups)
    missing = lost.exclude(models.Exists(Task.objects.filter(key=OuterRef("dedupe_key"))))
    numbers = Account.objects.filter(pk__in={message.payload["account"] for message in missing})
    named = dict(numbers.values_list("pk", "number"))
    tasks = [_task(message, named[message.payload["account"]]) for message in missing]
    Task.objects.bulk_create(tasks, ignore_conflicts=True)
    return len(tasks)


def _task(message: Message, number: str) -> Task:
    facts = message.payload
    return Task(
        kind=TASK,
        subject=f"Tell account {number}: {KINDS[facts['kind']].title}",
        text=message.last_error,
        account_id=facts["account"],
        key=message.dedupe_key,
        created_at=clock.now(),
    )
