"""What processing modules have to do with services: queued by acts, carried out between them.

An operation is QUEUED while it is known not to be done, and RUNNING from before its call until its
end is known: a call whose answer was lost, or that was cut off by a kill, is asked about before it
is made again. What a machine cannot do becomes a task for people (GIVEN_UP).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from billclock import clock
from billclock.billing.catalog import Module
from billclock.billing.configuration import Surroundings
from billclock.billing.errors import BillingError, PluginSettingsError, ProcessingError
from billclock.billing.processing import base, offered
from billclock.billing.processing.base import Condition, ProcessingModule
from billclock.billing.services import Operation, Reason, Service, Status, Task, lock

Action: TypeAlias = Operation.Action
State: TypeAlias = Operation.State

WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15))
LONGEST_WAIT = timedelta(hours=1)
"""The waits after the first tries, and after each later one."""

LEASE = timedelta(minutes=10)
"""How long a call may take; an operation still RUNNING after it was cut off."""

UNDER_WAY = (State.QUEUED, State.RUNNING)
OPPOSITE = {Action.SUSPEND: Action.RESUME, Action.RESUME: Action.SUSPEND}
TASK = "operation"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Claim:
    """An operation in our hands: `asks` says that it may be done already."""

    operation: int
    module: Module
    action: base.Action
    order: base.Order
    asks: bool


@dataclass(frozen=True, slots=True)
class End:
    """What became of a try: the state that follows from it, facts of the service, or why not.

    `tried` is False where no machine was called at all.
    """

    state: State
    parameters: Mapping[str, Any] = field(default_factory=dict)
    why: str = ""
    tried: bool = True


def due(at: datetime) -> QuerySet[Operation]:
    """Give the operations to be tried at a moment, the oldest first; a service's in their order."""
    before = Operation.objects.filter(
        service=OuterRef("service"), id__lt=OuterRef("id"), state__in=("queued", "running")
    )
    # the states written out: only so does SQLite see that the index of open operations serves
    waiting = Operation.objects.filter(state__in=("queued", "running"), next_try__lte=at)
    return waiting.exclude(Exists(before)).order_by("id")


def queue(service: Service, action: Action, cause: str) -> Operation | None:
    """Let something be done with a service; for acts that hold its account's lock.

    None where there is nothing to do: the product has no module, or the opposite is not done yet,
    and both are dropped. `service.status` follows; the caller saves it.
    """
    made = None
    if not _drop(service, action):
        module = service.product.module
        if module is not None:
            now = clock.now()
            made = Operation.objects.create(
                service=service, module=module, action=action, cause=cause, created_at=now,
                next_try=now,
            )  # fmt: skip
    service.status = _status(service)
    return made


def _drop(service: Service, action: Action) -> bool:
    """Drop what an action makes needless; tell whether it is needless itself."""
    waiting = service.operations.filter(state__in=(State.QUEUED, State.GIVEN_UP))
    if action == Action.CLOSE:
        needless = list(waiting)
        undone = any(op.action == Action.OPEN and _not_done(op) for op in needless)
    else:
        needless = list(waiting.filter(action=OPPOSITE.get(action, action)))
        undone = any(op.action != action and _not_done(op) for op in needless)
    for operation in needless:
        why = f"not needed any more: {action} was asked for"
        _end(operation, End(State.DROPPED, why=why))
    return undone


def _not_done(operation: Operation) -> bool:
    """Tell whether surely nothing was done: each try was refused, or people have not done it."""
    return operation.state == State.QUEUED or not operation.attempts


def _status(service: Service) -> Status:
    """Give the state that follows from what a service is stopped for and what is under way."""
    if service.closed_on is not None:
        return Status.DELETED
    if service.operations.filter(state__in=(*UNDER_WAY, State.GIVEN_UP)).exists():
        return Status.IN_PROGRESS
    return Status.STOPPED if service.stopped_for else Status.ACTIVE


def carry_out(operation: Operation) -> State:
    """Try an operation if it is due, and give its state; never within a transaction.

    The intent is committed before the module is called, the result after.
    """
    claim = _claim(operation)
    if claim is None:
        operation.refresh_from_db()
        return State(operation.state)
    end = _call(claim)
    return _settle(operation, end)


@transaction.atomic
def _claim(operation: Operation) -> Claim | None:
    """Take an operation into our hands for LEASE; None where it is not due or in others' hands."""
    service = lock(operation.service)
    now = clock.now()
    held = due(now).filter(pk=operation.pk).select_related("module").first()
    if held is None or held.module is None:
        return None
    asks = held.state == State.RUNNING
    held.state, held.next_try = State.RUNNING, now + LEASE
    held.attempts += 1
    held.save(update_fields=["state", "next_try", "attempts"])
    order = _order(held, service, now)
    return Claim(held.pk, held.module, base.Action(held.action), order, asks)


def _order(operation: Operation, service: Service, at: datetime) -> base.Order:
    addons = service.addons.values_list("addon__code", "quantity")
    return base.Order(
        key=f"operation-{operation.pk}",
        at=at,
        service=service.number,
        product=service.product.code,
        client=service.account.client.number,
        name=service.name,
        parameters=service.parameters,
        addons={code: quantity for code, quantity in addons if quantity},
        reason=", ".join(r.name.lower() for r in Reason if service.stopped_for & r),
    )


def _call(claim: Claim) -> End:
    """Ask or call a module; whatever it does, an end comes of it."""
    try:
        return _called(claim)
    except PluginSettingsError as error:
        return End(State.GIVEN_UP, why=str(error))
    except ProcessingError as error:
        return End(State.QUEUED if error.retry else State.GIVEN_UP, why=str(error))
    except Exception as error:
        log.exception("operation %d: %s", claim.operation, claim.module.code)
        return End(State.RUNNING, why=f"{type(error).__name__}: {error}")


def _called(claim: Claim) -> End:
    module = module_of(claim.module)
    if claim.action not in module.features.acts:
        why = f"{claim.module.code} leaves it to people"
        return End(State.GIVEN_UP, why=why, tried=False)
    if claim.asks and module.features.tells:
        try:
            seen = module.sync(claim.order)
        except ProcessingError as error:
            return End(State.RUNNING, why=str(error))
        if seen.fulfils(claim.action, claim.order):
            return End(State.DONE, seen.parameters)
        if seen.condition is Condition.BUSY:
            return End(State.RUNNING, why="the module works on it")
    answer: base.Answer = getattr(module, claim.action.value)(claim.order)
    if answer.state is base.State.DONE:
        return End(State.DONE, answer.parameters)
    return End(State.RUNNING, answer.parameters, answer.why)


def module_of(module: Module) -> ProcessingModule:
    """Give a module's plugin; raises PluginSettingsError for wrong settings."""
    given = tuple((str(name), str(value)) for name, value in sorted(module.settings.items()))
    return _make(module.plugin, given, settings.DATA)


@cache
def _make(plugin: str, given: tuple[tuple[str, str], ...], folder: Path) -> ProcessingModule:
    return offered.make(plugin, dict(given), Surroundings(clock.now, folder))


@transaction.atomic
def _settle(operation: Operation, end: End) -> State:
    """Write what became of a try; the last one that fails makes a task."""
    service = lock(operation.service)
    held = Operation.objects.select_for_update().get(pk=operation.pk)
    if held.state != State.RUNNING:
        return State(held.state)  # settled meanwhile: by another hand after our lease, or by people
    held.attempts -= not end.tried
    if end.state in UNDER_WAY and held.attempts >= settings.OPERATION_TRIES:
        end = End(State.GIVEN_UP, end.parameters, f"after {held.attempts} tries: {end.why}")
    if end.state in UNDER_WAY:
        held.state, held.last_error = end.state, end.why
        held.next_try = clock.now() + wait(held.attempts)
        held.save(update_fields=["state", "last_error", "next_try"])
    else:
        _end(held, end)
    service.parameters = {**service.parameters, **end.parameters}
    service.status = _status(service)
    service.save(update_fields=["parameters", "status"])
    return State(held.state)


def wait(attempts: int) -> timedelta:
    """Give the time between the try of this number (from 1) and the next."""
    return WAITS[attempts - 1] if attempts <= len(WAITS) else LONGEST_WAIT


def _end(operation: Operation, end: End) -> None:
    """Bring an operation to an end, with its task: written where it is given up, else done."""
    now = clock.now()
    operation.state, operation.last_error = end.state, end.why
    operation.finished_at = now
    operation.save(update_fields=["state", "attempts", "last_error", "finished_at"])
    if end.state == State.GIVEN_UP:
        _hand_over(operation, now)
        return
    task = Task.objects.filter(key=f"{TASK} {operation.pk}", done_at=None)
    task.update(done_at=now, done_by="billclock")


def _hand_over(operation: Operation, now: datetime) -> None:
    """Write a task for people, once; one that was done before is open again."""
    service = operation.service
    module = operation.module
    Task.objects.update_or_create(
        key=f"{TASK} {operation.pk}",
        defaults={"done_at": None, "done_by": "", "text": operation.last_error},
        create_defaults={
            "kind": TASK,
            "subject": f"{operation.get_action_display()} service {service.number}",
            "text": operation.last_error,
            "service": service,
            "account_id": service.account_id,
            "department_id": module.department_id if module else None,
            "created_at": now,
        },
    )


@transaction.atomic
def done_by_hand(operation: Operation, *, by: str, parameters: Mapping[str, Any]) -> None:
    """Say that people did what an operation was to do; `parameters` are facts of the service.

    Raises BillingError for one that is not theirs.
    """
    service = lock(operation.service)
    held = Operation.objects.select_for_update().get(pk=operation.pk)
    _require_given_up(held)
    _end(held, End(State.DONE, why=f"done by {by}"))
    Task.objects.filter(key=f"{TASK} {held.pk}").update(done_by=by)
    service.parameters = {**service.parameters, **parameters}
    service.status = _status(service)
    service.save(update_fields=["parameters", "status"])


@transaction.atomic
def again(operation: Operation) -> None:
    """Let the module try a given-up operation again; raises BillingError for any other."""
    lock(operation.service)
    held = Operation.objects.select_for_update().get(pk=operation.pk)
    _require_given_up(held)
    # RUNNING: it may have been done after all, so the module is asked first
    held.state = State.RUNNING if held.attempts else State.QUEUED
    held.attempts, held.next_try, held.finished_at = 0, clock.now(), None
    held.save(update_fields=["state", "attempts", "next_try", "finished_at"])


def _require_given_up(operation: Operation) -> None:
    if operation.state != State.GIVEN_UP:
        raise BillingError(
            f"operation {operation.pk} ({operation.action} of service"
            f" {operation.service.number}) is {operation.state}",
            "only what was given up is taken on by people",
        )
