"""The kinds of notices there are: what each is called, who may switch it off, what it must tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext_noop as _

from billclock.billing.errors import BillingError


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind: its name (a word of letters' files), its title on screens, who gets it.

    `optional` may be switched off by who gets it; `on` says whether it comes without a choice.
    `facts` are those that `notify` must be given: what the letter's words name beyond what is
    gathered from the books when it is written (see letters/facts.py).
    """

    name: str
    title: str
    optional: bool = True
    on: bool = True
    facts: Sequence[str] = ()


RENEWED = Kind("renewed", _("Services renewed"))
NOT_RENEWED = Kind("not_renewed", _("Services not renewed: no money"), optional=False)
EXPIRING = Kind("expiring", _("A service ends and is not renewed by itself"))
UPDATES_ENDING = Kind("updates_ending", _("Updates of a product end"))
RENEWAL_OFF = Kind("renewal_off", _("Automatic renewal was switched off"))
LOW_MONEY = Kind("low_money", _("The money runs out"), facts=("ends_on", "need", "balance"))
CREDIT_NEAR = Kind("credit_near", _("A credit limit is near"), facts=("balance", "limit", "left"))
CREDIT_REACHED = Kind(
    "credit_reached", _("A credit limit is reached"), optional=False, facts=("balance", "limit")
)
TOP_UP_FAILED = Kind(
    "top_up_failed", _("An automatic payment failed"), optional=False, facts=("amount", "why")
)
PAYMENT_RECEIVED = Kind("payment_received", _("A payment arrived"), facts=("amount", "method"))
INVOICE = Kind("invoice", _("Invoices"), optional=False)
SUSPENDED = Kind("suspended", _("A service was stopped"), optional=False, facts=("why",))
ADDON_OVER = Kind(
    "addon_over", _("More is in use than the plan allows"), optional=False,
    facts=("addon", "used", "most"),
)  # fmt: skip
RESUMED = Kind("resumed", _("A service runs again"))
CLOSED = Kind("closed", _("A service was closed"), optional=False, facts=("why",))
CERTIFICATE_STEP = Kind(
    "certificate_step", _("A certificate waits for you"), optional=False, facts=("name", "step")
)
WRITTEN = Kind("written", _("A letter from staff"), optional=False, facts=("title", "text"))
FINANCE_WEEKLY = Kind("finance_weekly", _("Your finances, each week"), on=False)
FINANCE_MONTHLY = Kind("finance_monthly", _("Your finances, each month"))

KINDS = {
    kind.name: kind
    for kind in (
        RENEWED, NOT_RENEWED, EXPIRING, UPDATES_ENDING, RENEWAL_OFF, LOW_MONEY, CREDIT_NEAR,
        CREDIT_REACHED, TOP_UP_FAILED, PAYMENT_RECEIVED, INVOICE, SUSPENDED, ADDON_OVER,
        RESUMED, CLOSED, CERTIFICATE_STEP, WRITTEN, FINANCE_WEEKLY, FINANCE_MONTHLY,
    )
}  # fmt: skip


def kind_of(name: str) -> Kind:
    """Give the kind of a name; raise BillingError where there is none."""
    try:
        return KINDS[name]
    except KeyError:
        raise BillingError(
            f"there is no kind of notice {name!r}", f"it is one of {', '.join(KINDS)}"
        ) from None
