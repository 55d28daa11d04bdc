"""What modules' panels know of use: asked for before a date is billed, and recorded as readings.

A round is one module asked about one provider's services on one business date, some at a time.
What was told is written before the next ones are asked about, so a round that was cut off, or whose
panel was down, goes on where it stood. A level that did not change is written no second time.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextvars import copy_context
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice
from threading import Thread

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef

from billclock import clock
from billclock.billing import operations, readings
from billclock.billing.catalog import AddOn, Module
from billclock.billing.errors import BillingError, PluginSettingsError, ProcessingError
from billclock.billing.processing.base import Order, ProcessingModule, Use
from billclock.billing.provider import Provider
from billclock.billing.services import Service, ServiceAddOn, Status

AT_ONCE = 200
"""Services that a module is asked about in one call."""

MOST_TOLD = 50
"""More readings of one service in an answer than this are not looked at."""

MOST_NAMED = 20
METERED = (AddOn.Billing.USED, AddOn.Billing.PEAK)
THERE = (Status.ACTIVE, Status.STOPPED, Status.IN_PROGRESS)

log = logging.getLogger(__name__)


class UsageRound(models.Model):
    """A module asked about a provider's services on a business date, and how far that went.

    `behind` is the key of the last service asked about, `error` what cut the round off;
    `refusals` name some of the readings that could not be, each with what is wrong with it.
    """

    module = models.ForeignKey(Module, models.CASCADE, related_name="usage_rounds", db_index=False)
    provider = models.ForeignKey(Provider, models.CASCADE, related_name="+", db_index=False)
    on = models.DateField()
    behind = models.BigIntegerField(default=0)
    asked = models.PositiveIntegerField(default=0)
    silent = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    refusals = models.JSONField(default=list)
    error = models.CharField(max_length=300, blank=True)
    begun_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("module", "provider", "on"), name="usage_round_once"),
        )


@dataclass(slots=True)
class _Batch:
    """The services of one call, with the add-ons that are measured and what is known of them."""

    services: Mapping[str, Service]
    metered: Mapping[int, frozenset[str]]
    held: Mapping[tuple[int, str], int]
    at: datetime
    told: set[str] = field(default_factory=set)


def modules(provider: Provider) -> Iterator[Module]:
    """Give the active modules that make a provider's services and can say what those use."""
    sold = AddOn.objects.filter(
        product__provider=provider, product__module=OuterRef("pk"), billing__in=METERED
    )
    for module in Module.objects.filter(Exists(sold), active=True).order_by("code"):
        try:
            measures = operations.module_of(module).features.measures
        except PluginSettingsError:
            measures = True  # asking it tells what is wrong
        if measures:
            yield module


def ask(module: Module, provider: Provider, on: date, *, again: bool = False) -> UsageRound:
    """Ask a module about a provider's services, and give the round as far as it came.

    One that is finished is left alone, or begun `again`. Whatever a panel does, nothing is raised:
    the round says what kept it from its end, and the next call goes on.
    """
    round_ = _begun(module, provider, on, again=again)
    if round_.finished_at is not None:
        return round_
    end = time.monotonic() + settings.USAGE_SECONDS
    try:
        plugin = operations.module_of(module)
        while batch := _next(round_):
            if time.monotonic() > end:
                raise ProcessingError(  # noqa: TRY301 - said like whatever else cuts a round off
                    module.code, f"it takes longer than {settings.USAGE_SECONDS} s", retry=True,
                    mend="the next run goes on",
                )  # fmt: skip
            _note(round_, batch, _told(plugin, module, batch))
        round_.finished_at, round_.error = clock.now(), ""
    except BillingError as error:
        round_.error = str(error)[:300]
    except Exception as error:
        log.exception("use of %s", module.code)
        round_.error = f"{type(error).__name__}: {error}"[:300]
    round_.save()
    return round_


def _begun(module: Module, provider: Provider, on: date, *, again: bool) -> UsageRound:
    known = UsageRound.objects.filter(module=module, provider=provider, on=on).first()
    if known is None:
        return UsageRound.objects.create(
            module=module, provider=provider, on=on, begun_at=clock.now()
        )
    if again and known.finished_at is not None:
        for name in ("behind", "asked", "silent", "changed", "refused"):
            setattr(known, name, 0)
        known.refusals, known.finished_at, known.begun_at = [], None, clock.now()
        known.save()
    return known


def _next(round_: UsageRound) -> _Batch | None:
    """Give the next services of a round; None at its end."""
    metered: dict[int, frozenset[str]] = {}
    sold = AddOn.objects.filter(
        product__provider=round_.provider_id, product__module=round_.module_id,
        billing__in=METERED,
    )  # fmt: skip
    for product, code in sold.values_list("product_id", "code"):
        metered[product] = metered.get(product, frozenset()) | {code}
    found = Service.objects.filter(
        account__provider=round_.provider_id, product__in=metered, status__in=THERE,
        pk__gt=round_.behind,
    )  # fmt: skip
    related = ("account__client", "product")
    services = list(found.select_related(*related).order_by("pk")[:AT_ONCE])
    if not services:
        return None
    held = ServiceAddOn.objects.filter(service__in=services).exclude(read_at=None)
    known = {(key, code): used for key, code, used in held.values_list(
        "service_id", "addon__code", "used")}  # fmt: skip
    return _Batch({one.number: one for one in services}, metered, known, clock.now())


def _told(plugin: ProcessingModule, module: Module, batch: _Batch) -> Sequence[object]:
    """Ask a module; raise ProcessingError where nothing comes of it within USAGE_TIMEOUT.

    The call has a thread of its own, which a panel that hangs keeps: billing goes on without it.
    """
    orders = [_order(service, batch.at) for service in batch.services.values()]
    answer: list[Sequence[object]] = []
    faults: list[Exception] = []

    def call() -> None:
        try:
            answer.append(_asked(plugin, orders))
        except Exception as error:  # noqa: BLE001 - raised again below
            faults.append(error)

    thread = Thread(target=copy_context().run, args=(call,), daemon=True, name="usage")
    thread.start()
    thread.join(settings.USAGE_TIMEOUT)
    if faults:
        raise faults[0]
    if not answer:
        raise ProcessingError(
            module.code, f"no answer within {settings.USAGE_TIMEOUT} s", retry=True,
            mend="look at its panel; the levels known before count meanwhile",
        )  # fmt: skip
    return answer[0]


def _asked(plugin: ProcessingModule, orders: Sequence[Order]) -> Sequence[object]:
    """Call a module, and once more where it says that this may help."""
    most = MOST_TOLD * len(orders)
    try:
        return list(islice(plugin.usage(orders), most))
    except ProcessingError as error:
        if not error.retry:
            raise
    return list(islice(plugin.usage(orders), most))


def _order(service: Service, at: datetime) -> Order:
    return Order(
        key=f"usage-{service.pk}",
        at=at,
        service=service.number,
        product=service.product.code,
        client=service.account.client.number,
        name=service.name,
        parameters=service.parameters,
    )


def _note(round_: UsageRound, batch: _Batch, told: Iterable[object]) -> None:
    """Record what was told, each reading alone, and that these services were asked about."""
    sound = []
    for one in told:
        if fault := _fault(one, batch):
            _refuse(round_, fault)
        elif isinstance(one, Use):
            batch.told.add(one.service)
            sound.append(one)
    for use in sorted(sound, key=lambda one: one.at or batch.at):
        service = batch.services[use.service]
        if use.at is None and batch.held.get((service.pk, use.addon)) == use.amount:
            continue
        try:
            readings.record(use.service, use.addon, use.amount, use.at or batch.at)
        except BillingError as error:
            _refuse(round_, str(error))
        else:
            round_.changed += 1
    round_.asked += len(batch.services)
    round_.silent += len(batch.services.keys() - batch.told)
    round_.behind = max(service.pk for service in batch.services.values())
    round_.error = ""
    round_.save()


def _fault(one: object, batch: _Batch) -> str:
    """Say what is wrong with a thing told; "" where it can be a reading."""
    if not isinstance(one, Use):
        return f"{one!r:.80} is no reading"
    service = batch.services.get(one.service) if isinstance(one.service, str) else None
    if service is None:
        return f"{one.service!r:.40} was not asked about"
    what = f"service {service.number}"
    if one.addon not in batch.metered[service.product_id]:
        return f"{what}: {one.addon!r:.40} is no add-on that is measured"
    if isinstance(one.amount, bool) or not isinstance(one.amount, int):
        return f"{what}: {one.amount!r:.40} of {one.addon} is no whole number"
    if one.at is not None and (not isinstance(one.at, datetime) or one.at.tzinfo is None):
        return f"{what}: {one.at!r:.60} is no moment with a zone"
    return ""


def _refuse(round_: UsageRound, fault: str) -> None:
    round_.refused += 1
    if len(round_.refusals) < MOST_NAMED:
        round_.refusals = [*round_.refusals, fault[:300]]
