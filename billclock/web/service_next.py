"""What a service costs next, and when."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest
from django.utils.translation import get_language

from billclock.billing import ledger, quoting
from billclock.billing.errors import BillingError
from billclock.billing.money import Money
from billclock.billing.progress import Parked
from billclock.billing.renewals import RENEWABLE
from billclock.billing.services import Service
from billclock.web.kit.faults import said


def coming(row: Service, _request: HttpRequest) -> Mapping[str, Any] | None:
    """Say what the next period costs, and whether there is money for it; None for what is over."""
    if row.status not in RENEWABLE:
        return None
    if Parked.objects.filter(account=row.account_id).exists():
        return {"parked": True}
    on = max(row.paid_until, row.account.provider.today())
    try:
        charged = quoting.next_period(row, on)
    except BillingError as error:
        return {"fault": said(error)}
    need = sum(line.total_minor for line in charged)
    have = ledger.available(row.account.funds, credit_blocked=row.account.credit_blocked)
    return {
        "on": on,
        "end": max((line.end for line in charged), default=None),
        "priced": bool(charged),
        "renews": row.auto_renew,
        "need": shown(need, row),
        "tax": shown(sum(line.tax_minor for line in charged), row),
        "off": shown(off, row) if (off := sum(line.discount_minor for line in charged)) else "",
        "have": shown(have, row),
        "missing": shown(need - max(have, 0), row) if need > max(have, 0) else "",
    }


def shown(minor: int, row: Service) -> str:
    """Say an amount of a service's account."""
    return Money(minor, row.account.currency_id).shown(get_language() or "en")
