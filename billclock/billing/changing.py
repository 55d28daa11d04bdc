"""Changing a service in mid-period, and closing one: taken back, and charged again as it was used.

What was charged for days to come is reversed as a whole; the days before are charged again with
their share of what was posted, the days to come at the new price. Live charges go on tiling.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

from django.db import transaction

from billclock.billing import booking, operations, orders, periods, quotes
from billclock.billing.booking import Taken
from billclock.billing.catalog import AddOn, Cycle, Product
from billclock.billing.charges import TILES, ChargeKind
from billclock.billing.errors import BillingError
from billclock.billing.notifications import notify
from billclock.billing.periods import Period
from billclock.billing.quotes import BY_DAY, Line, Terms, Unit
from billclock.billing.renewals import RENEWABLE
from billclock.billing.services import Operation, Service, ServiceAddOn, lock


@dataclass(frozen=True, slots=True)
class Target:
    """What a service shall be: `changed` are the add-ons (0: the product) whose price changes.

    `had` are the amounts of add-ons until now, by code.
    """

    product: Product
    months: int
    amounts: Mapping[AddOn, int]
    had: Mapping[str, int]
    changed: frozenset[int]
    whole: bool

    @property
    def empty(self) -> bool:
        """Tell whether nothing changes that is charged or made."""
        return not self.whole and not self.changed


@dataclass(frozen=True, slots=True)
class Difference:
    """What a change or an end comes to: charges taken back, the days used kept, new ones charged.

    `paid_until` is the service's then.
    """

    taken: Taken
    kept: Sequence[Line]
    new: Sequence[Line]
    paid_until: date

    @property
    def returned_minor(self) -> int:
        """Give what comes back for days paid and not used."""
        return self.taken.total_minor - quotes.total(self.kept)

    @property
    def charged_minor(self) -> int:
        """Give what is charged for days to come, and once."""
        return quotes.total(self.new)

    @property
    def need_minor(self) -> int:
        """Give what the account pays; below zero, what it gets back."""
        return self.charged_minor - self.returned_minor


def preview_change(
    service: Service,
    *,
    on: date,
    product: Product | None = None,
    months: int | None = None,
    addons: Mapping[str, int] | None = None,
) -> Difference:
    """Say what `change` would come to, without changing anything; raise BillingError as it does."""
    _require_open(service, "changed")
    target = _target(service, product or service.product, months, addons or {}, on)
    if target.empty:
        return Difference(Taken((), (), on), (), (), service.paid_until)
    return _difference(service, target, on)


def preview_close(service: Service, *, on: date, returns: bool | None = None) -> Difference:
    """Say what `close` would give back, without closing; raise BillingError as it does."""
    _require_open(service, "closed")
    return _end(service, on, returns=returns)


@transaction.atomic
def change(
    service: Service,
    *,
    on: date,
    by: str,
    product: Product | None = None,
    months: int | None = None,
    addons: Mapping[str, int] | None = None,
) -> Service:
    """Give a service another product or other amounts of add-ons from a date on.

    The difference for the days paid already is charged, or comes back. Another length of period
    counts from the next renewal. Raises NotEnoughMoneyError, or BillingError for what cannot be.
    """
    service = lock(service)
    _require_open(service, "changed")
    target = _target(service, product or service.product, months, addons or {}, on)
    if not target.empty:
        _charge_again(service, target, on=on, by=by)
        _set_addons(service, target.amounts)
        operations.queue(service, Operation.Action.CHANGE, f"change {service.generation}")
    service.months = target.months
    service.save()
    return service


@transaction.atomic
def close(
    service: Service, *, on: date, why: str, by: str = "", returns: bool | None = None
) -> Service:
    """Close a service for good; days paid and not used come back, as its type or `returns` says."""
    service = lock(service)
    _require_open(service, "closed")
    end = _end(service, on, returns=returns)
    if end.taken.charges:
        _replace(service, end, on=on, why=f"closed: {why}", by=by)
    service.paid_until = end.paid_until
    service.suspensions.filter(lifted_on=None).update(lifted_on=on, lifted_why="closed")
    service.stopped_for, service.unfunded_since = 0, None
    service.closed_on = on
    operations.queue(service, Operation.Action.CLOSE, "closed")
    service.save()
    notify(service.account, "closed", subject=service.pk, period=on, on=on, facts={"why": why})
    return service


def _require_open(service: Service, done: str) -> None:
    if service.status not in RENEWABLE:
        state = service.get_status_display().lower()
        raise BillingError(f"service {service.number} is {state} and cannot be {done}")


def _target(
    service: Service, product: Product, months: int | None, addons: Mapping[str, int], on: date
) -> Target:
    whole = product.pk != service.product_id
    if whole:
        _require_kin(service, product)
    had = dict(service.addons.values_list("addon__code", "quantity"))
    offered = set(product.addons.values_list("code", flat=True))
    kept = {code: quantity for code, quantity in had.items() if code in offered}
    amounts = orders.addon_amounts(product, {**kept, **addons})
    changed = {addon.pk for addon, quantity in amounts.items() if had.get(addon.code) != quantity}
    wanted = service.months if months is None else months
    if wanted != service.months or whole:
        quotes.price(product, service.account.currency_id, wanted, on)
    return Target(product, wanted, amounts, had, frozenset(changed), whole)


def _require_kin(service: Service, product: Product) -> None:
    now = service.product
    kin = (product.provider_id, product.type_id, product.module_id)
    if kin != (now.provider_id, now.type_id, now.module_id) or not product.orderable:
        raise BillingError(
            f"service {service.number} cannot become {product.code}, which is of another provider,"
            " type or processing module, or not on sale",
            "order a new service",
        )


def _end(service: Service, on: date, *, returns: bool | None) -> Difference:
    """Give what closing takes back: nothing where unused days are not returned."""
    if not (service.product.type.returns_unused if returns is None else returns):
        return Difference(Taken((), (), on), (), (), service.paid_until)
    # A day billed by itself that has begun is used.
    since = on + timedelta(days=1) if service.product.cycle in BY_DAY else on
    taken = booking.running(service, since, pauses=True)
    return Difference(taken, taken.kept, (), min(service.paid_until, since))


def _charge_again(service: Service, target: Target, *, on: date, by: str) -> None:
    """Take back what is charged for days to come, and charge them as they shall be."""
    found = _difference(service, target, on)
    lines = [*found.kept, *found.new]
    booking.require_money(service.account, lines, back=found.taken.total_minor)
    why = f"changed to {target.product.code}" if target.whole else "add-ons changed"
    _replace(service, found, on=on, why=why, by=by)
    if _anew(service, target):
        calendar = target.product.cycle == Cycle.CALENDAR
        runs = any(line.end > line.start for line in found.new)
        service.anchor_day = 1 if calendar else (on if runs else found.paid_until).day
    service.product, service.paid_until = target.product, found.paid_until


def _difference(service: Service, target: Target, on: date) -> Difference:
    anew = _anew(service, target)
    taken = booking.running(service, on, pauses=anew)
    if not target.whole:
        taken = taken.only(target.changed)
    rests = [] if service.paid_until <= on else _rests(service, on)
    new = list(_lines(service, target, rests, on, anew=anew)) if rests else []
    until = service.paid_until
    if anew:
        until = max((line.end for line in new), default=until)
    return Difference(taken, taken.kept, [*new, *_once(service, target, on, anew=anew)], until)


def _anew(service: Service, target: Target) -> bool:
    """Tell whether a period of the new product begins: its days are billed in another way."""
    cycles = (service.product.cycle, target.product.cycle)
    return target.whole and (cycles[0] != cycles[1] or cycles[1] in BY_DAY)


def _replace(service: Service, found: Difference, *, on: date, why: str, by: str) -> None:
    booking.take_back(found.taken, on=on, why=why, by=by)
    service.generation += 1
    booking.book(service, [*found.kept, *found.new], on=on)


def _rests(service: Service, on: date) -> list[Period]:
    """Give the paid days from a date on, without pauses, as runs of days in a row."""
    live = service.charges.filter(reversal=None, addon=0, kind__in=TILES, period_end__gt=on)
    found = [
        Period(max(charge.period_start, on), charge.period_end)
        for charge in live.exclude(kind=ChargeKind.PAUSE).order_by("period_start")
    ]
    breaks = [0, *(n for n, (a, b) in enumerate(pairwise(found), 1) if a.end < b.start), len(found)]
    return [Period(found[first].start, found[last - 1].end) for first, last in pairwise(breaks)]


def _lines(
    service: Service, target: Target, rests: Iterable[Period], on: date, *, anew: bool
) -> Iterator[Line]:
    """Give the charges of the days to come."""
    own = service.discount_until is None or on < service.discount_until
    terms = Terms.of(service.account, target.product, on, service.discount_ppm if own else 0)
    months = target.months if anew else _months(service, target, on)
    currency = service.account.currency_id
    for unit in quotes.units(target.product, currency, months, on, target.amounts):
        if not target.whole and unit.addon not in target.changed:
            continue
        if anew:
            yield from quotes.first_period(terms, target.product, unit, on)
            continue
        for rest in rests:
            anchor = _anchor(service, rest.end)
            yield from quotes.rest_of(terms, target.product, unit, rest, anchor)


def _once(service: Service, target: Target, on: date, *, anew: bool) -> Iterator[Line]:
    """Give the charges of what is paid once and of which there is to be more than before."""
    for addon, quantity in target.amounts.items():
        paid = max(target.had.get(addon.code, 0), addon.included)
        if addon.billing != AddOn.Billing.ONCE or quantity <= paid:
            continue
        months = target.months if anew else _months(service, target, on)
        currency = service.account.currency_id
        cost = quotes.price(target.product, currency, months, on, addon=addon.pk)
        unit = Unit(cost, addon.pk, quantity - paid)
        setup = cost.setup_minor if paid == addon.included else 0
        terms = Terms.of(service.account, target.product, on)
        yield from quotes.once(terms, unit, on, unit.cost + setup)


def _months(service: Service, target: Target, on: date) -> int:
    """Give the length of period by which days paid already are priced: theirs, where it is sold."""
    try:
        quotes.price(target.product, service.account.currency_id, service.months, on)
    except BillingError:
        return target.months
    return service.months


def _anchor(service: Service, end: date) -> int:
    """Give the anchor of a period that ends so: the service's, or its own from before a pause."""
    ours = periods.anchored(service.anchor_day, end.year, end.month) == end
    return service.anchor_day if ours else end.day


def _set_addons(service: Service, amounts: Mapping[AddOn, int]) -> None:
    service.addons.exclude(addon__in=list(amounts)).delete()
    for addon, quantity in amounts.items():
        ServiceAddOn.objects.update_or_create(
            service=service, addon=addon, defaults={"quantity": quantity}
        )
