"""New prices of products and add-ons: rows that never change, each valid from a day on.

A price counts for orders from `valid_from` and for renewals of services that there are from
`valid_from_existing`. The two orders of prices agree: what is newer for the one is for the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from django.db import transaction
from django.db.models import ProtectedError, Q, QuerySet
from django.utils.translation import gettext as _

from billclock.billing import founding, keeping
from billclock.billing.catalog import AddOn, Cycle, Price, Product
from billclock.billing.errors import BillingError
from billclock.billing.keeping import Faults
from billclock.billing.money import MOST
from billclock.billing.stocking import MEASURED

LONGEST = 120
MOST_TIMES = 3
"""A price so many times the one before it, or that part of it, has to be meant."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What a price consists of: minor units a period, millionths of the major unit a unit."""

    amount_minor: int = 0
    unit_micro: int = 0
    setup_minor: int = 0


@dataclass(frozen=True, slots=True)
class Place:
    """What a price is for: a product, or an add-on of it, in a currency, for so many months."""

    product: Product
    currency: str
    months: int
    addon: AddOn | None = None

    @property
    def rows(self) -> QuerySet[Price]:
        """Give the prices there are for it."""
        return Price.objects.filter(
            product=self.product,
            addon=self.addon.pk if self.addon else 0,
            currency=self.currency,
            months=self.months,
        )

    @property
    def by_unit(self) -> bool:
        """Tell whether its price is that of an hour, or of a unit that was used."""
        if self.addon is not None and self.addon.billing == AddOn.Billing.ONCE:
            return False
        measured = self.addon is not None and self.addon.billing in MEASURED
        return measured or self.product.cycle == Cycle.HOURLY


@transaction.atomic
def set_price(
    place: Place,
    figures: Figures,
    *,
    valid_from: date,
    valid_from_existing: date | None = None,
    meant: bool = False,
) -> Price:
    """Let something cost so much from a day on, for services that there are from then or later.

    Raises DetailsError: for figures that are not of its kind of price, for days that would change
    what is billed already or that reach behind another price, and, unless `meant`, for a price
    more than MOST_TIMES the one before, or less than that part of it.
    """
    keeping.locked(place.product)
    existing = valid_from_existing or valid_from
    faults = _place_faults(place) or _figure_faults(place, figures)
    faults |= _day_faults(place, valid_from, existing)
    if not (faults or meant):
        faults = _odd(place, figures, existing)
    row = Price(
        product=place.product,
        addon=place.addon.pk if place.addon else 0,
        currency=founding.use(place.currency),
        months=place.months,
        amount_minor=figures.amount_minor,
        unit_micro=figures.unit_micro,
        setup_minor=figures.setup_minor,
    )
    days = {"valid_from": valid_from, "valid_from_existing": existing}
    return keeping.keep(row, days, faults)


@transaction.atomic
def take_back(price: Price) -> None:
    """Delete a price by which nothing was charged yet; raises BillingError for any other."""
    row = keeping.locked(price)
    try:
        row.delete()
    except ProtectedError:
        raise BillingError(
            _("Something was charged by this price already"), _("set a new one from a later day")
        ) from None


def _place_faults(place: Place) -> Faults:
    faults: Faults = {}
    addon, cycle = place.addon, place.product.cycle
    if addon is not None and addon.product_id != place.product.pk:
        faults["addon"] = _("It is an add-on of another product.")
    elif addon is not None and addon.billing == AddOn.Billing.FREE:
        faults["addon"] = _("It is free, so it has no price.")
    only = {Cycle.HOURLY: 0, Cycle.DAILY: 1}.get(Cycle(cycle))
    if only is not None and place.months != only:
        faults["months"] = (
            _("The product is billed by the hour: give 0.")
            if only == 0
            else _("The product is billed by the day, at the price of a month: give 1.")
        )
    elif only is None and not 1 <= place.months <= LONGEST:
        faults["months"] = _("Give 1 to %d months.") % LONGEST
    return faults


def _figure_faults(place: Place, figures: Figures) -> Faults:
    faults: Faults = {}
    for name, figure in (
        ("amount_minor", figures.amount_minor),
        ("unit_micro", figures.unit_micro),
        ("setup_minor", figures.setup_minor),
    ):
        if not 0 <= figure <= MOST:
            faults[name] = _("A price can't be below 0, nor so large.")
    if place.by_unit and figures.amount_minor:
        faults["amount_minor"] = _("It is billed by the unit: give the price of a unit only.")
    elif not place.by_unit and figures.unit_micro:
        faults["unit_micro"] = _("It is billed by the period: give the price of a period only.")
    measured = place.addon is not None and place.addon.billing in MEASURED
    if measured and figures.setup_minor:
        faults["setup_minor"] = _("What is measured is not set up: leave this empty.")
    return faults


def _day_faults(place: Place, valid_from: date, existing: date) -> Faults:
    days = (("valid_from", valid_from), ("valid_from_existing", existing))
    if odd := [name for name, on in days if not founding.believable(on)]:
        return dict.fromkeys(odd, founding.unbelievable())
    if existing < valid_from:
        return {"valid_from_existing": _("It can't count for services there are before orders.")}
    if not place.rows.exists():
        return {}
    if valid_from < (today := place.product.provider.today()):
        return {"valid_from": _("Orders up to %s have their price: choose a later day.")
                % (today - timedelta(days=1))}  # fmt: skip
    billed = founding.billed_until([place.product.provider])
    if billed is not None and existing <= billed:
        return {"valid_from_existing": _("Renewals up to %s are billed: choose a later day.")
                % billed}  # fmt: skip
    return _overlap(place, valid_from, existing)


def _overlap(place: Place, valid_from: date, existing: date) -> Faults:
    """Refuse a price that another one would overtake: it would never or twice be the latest."""
    same = place.rows.filter(valid_from=valid_from).first()
    if same is not None:
        return {"valid_from": _("There is a price from this day: take it back first.")}
    overtaken = Q(valid_from__lt=valid_from, valid_from_existing__gt=existing)
    overtaking = Q(valid_from__gt=valid_from, valid_from_existing__lt=existing)
    other = place.rows.filter(overtaken | overtaking).first()
    if other is None:
        return {}
    return {
        "valid_from_existing": _(
            "The price from %(on)s counts for services there are from %(existing)s: keep the "
            "order of the two, or take that one back."
        )
        % {"on": other.valid_from, "existing": other.valid_from_existing}
    }


def _odd(place: Place, figures: Figures, existing: date) -> Faults:
    before = place.rows.filter(valid_from_existing__lte=existing).order_by("-valid_from_existing")
    was = before.first()
    if was is None:
        return {}
    now, old = (
        (figures.unit_micro, was.unit_micro)
        if place.by_unit
        else (figures.amount_minor, was.amount_minor)
    )
    if now <= MOST_TIMES * old and now * MOST_TIMES >= old:
        return {}
    return {
        "meant": _("This is more than %(times)d times the price before it, or less than that part "
                   "of it: say that it is meant.") % {"times": MOST_TIMES}
    }  # fmt: skip
