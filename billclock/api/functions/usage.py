"""Usage: what a panel or a meter read, entered for a service's add-on."""

from datetime import datetime
from typing import Annotated

from billclock.accounts.models import Role
from billclock.api.documents import Change, Document, Kind
from billclock.api.registry import Actor, function
from billclock.billing import readings


@function(
    "usage.enter", title="Enter a usage reading", kind=Kind.ACTION, role=Role.OPERATOR, whole=True
)
def enter(
    _actor: Actor,
    *,
    service: Annotated[str, "the service's number, such as S17"],
    addon: Annotated[str, "the add-on's code, such as traffic"],
    amount: Annotated[int, "how many units are in use: a level, not a difference"],
    at: Annotated[datetime | None, "the moment of the reading, now if left out"] = None,
) -> Document:
    """Enter how much of an add-on a service uses; billing charges what goes beyond its plan.

    The same reading sent again is entered once; one before the last reading is refused.
    """
    made = readings.record(service, addon, amount, at)
    values = {
        "key": str(made.pk),
        "service": service,
        "addon": addon,
        "amount": str(made.amount),
        "at": made.at.isoformat(),
        "date": made.on.isoformat(),
    }
    changes = [Change(f"{addon} of {service}", "", "", f"{made.amount} at {values['at']}")]
    return Document("usage.enter", Kind.ACTION, values=values, changes=changes)
