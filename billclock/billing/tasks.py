"""Staff tasks: which operation one is about, and that a person has done it."""

from __future__ import annotations

from django.db import transaction

from billclock import clock
from billclock.billing import banking
from billclock.billing.errors import BillingError
from billclock.billing.operations import TASK as OPERATION
from billclock.billing.services import Operation, Task


def operation_of(task: Task) -> Operation | None:
    """Give the operation that a task is about; None where it is about something else."""
    name, _space, key = task.key.partition(" ")
    if task.kind != OPERATION or name != OPERATION or not key.isdecimal():
        return None
    related = ("service__account", "service__product", "module")
    return Operation.objects.select_related(*related).filter(pk=key).first()


@transaction.atomic
def finish(task: Task, *, by: str) -> None:
    """Say that a person has done what a task asks.

    Raises BillingError for what is done already, for an operation, whose service has to know, and
    for a bank's entry that is not decided: its money would wait where nobody looks.
    """
    held = Task.objects.select_for_update().get(pk=task.pk)
    if held.done_at is not None:
        raise BillingError(f"task {held.pk} was done by {held.done_by}")
    if held.kind == OPERATION:
        raise BillingError(
            f"task {held.pk} is an operation's: its service waits for it",
            "say that it was done by hand, or let the module try again",
        )
    entry = banking.entry_of(held)
    if entry is not None and not banking.is_decided(entry):
        raise BillingError(
            f"task {held.pk} asks what the bank entry of {entry.on} pays: its money waits",
            "assign the entry, or set it aside",
        )
    held.done_at, held.done_by = clock.now(), by
    held.save(update_fields=["done_at", "done_by"])
