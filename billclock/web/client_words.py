"""How clients, accounts and movements of their money read: kinds, states, charges, transfers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import get_language
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from billclock.billing import money
from billclock.billing.by_hand import HandEntry
from billclock.billing.charges import Charge, ChargeKind
from billclock.billing.clients import Account, Client
from billclock.billing.invoices import Invoice
from billclock.billing.ledger import Cause, Transfer
from billclock.billing.notice_kinds import KINDS, WRITTEN
from billclock.billing.payments import Payment
from billclock.billing.services import Service
from billclock.web import service_words
from billclock.web.kit.leading import way_to
from billclock.web.kit.marks import Mark
from billclock.web.service_columns import days
from billclock.web.visible import visible

CLIENT_KINDS: dict[Client.Kind, Promise] = {
    Client.Kind.INDIVIDUAL: _("individual"),
    Client.Kind.COMPANY: _("company"),
    Client.Kind.SOLE_TRADER: _("sole trader"),
}
ACCOUNT_KINDS: dict[Account.Kind, Promise] = {
    Account.Kind.PREPAID: _("prepaid"),
    Account.Kind.CREDIT: _("with credit"),
    Account.Kind.POSTPAID: _("postpaid"),
}
OPEN = {
    False: Mark("circle-check", "ok", _("active")),
    True: Mark("power-off", "off", _("closed client")),
}
LANGUAGES = {"en": "English", "ru": "Русский"}
CAUSES: dict[Cause, Promise] = {
    Cause.CHARGE: _("Charge"),
    Cause.CHARGE_TAX: _("Tax on a charge"),
    Cause.PAYMENT: _("Payment"),
    Cause.REFUND: _("Money given back"),
    Cause.CHARGEBACK: _("Taken back by the client's bank"),
    Cause.GATEWAY_FEE: _("Fee of the gateway"),
    Cause.EXCHANGE_OUT: _("Converted into another currency"),
    Cause.EXCHANGE_IN: _("Converted from another currency"),
    Cause.ROUNDING: _("Rounding of an invoice's tax"),
    Cause.AFFILIATE: _("Share of a partner"),
    Cause.OPENING: _("Balance from before the books"),
    Cause.REVERSAL: _("Taken back"),
    Cause.MANUAL: _("Entered by hand"),
}
CHARGED = (Cause.CHARGE, Cause.CHARGE_TAX)
BY_HAND: dict[HandEntry.Sort, Promise] = {
    HandEntry.Sort.GOODWILL: _("Goodwill"),
    HandEntry.Sort.CORRECTION: _("Correction"),
}
PAID = (Cause.PAYMENT, Cause.REFUND, Cause.CHARGEBACK)


def amount(minor: int, currency: str, *, signed: bool = False) -> str:
    """Say an amount; with + above zero where it is a movement."""
    said = money.Money(minor, currency).shown(get_language() or "en")
    return f"+{said}" if signed and minor > 0 else said


def service_said(service: Service) -> str:
    """Say a service by its product and its own name or number."""
    return f"{service.product.name}, {service.name or service.number}"


def charge_said(charge: Charge) -> str:
    """Say what was charged: the service and its days."""
    span = days(charge.period_start, charge.period_end)
    return f"{service_said(charge.service)}, {span}"


def charge_why(charge: Charge, currency: str) -> str:
    """Say how a charge came about: its kind, discount and tax."""
    parts = [str(service_words.CHARGES[ChargeKind(charge.kind)])]
    if charge.quantity > 1:
        parts[0] += f" × {charge.quantity}"
    if charge.discount_minor:
        parts.append(
            _now("%(list)s less a discount of %(discount)s")
            % {
                "list": amount(charge.list_minor, currency),
                "discount": amount(charge.discount_minor, currency),
            }
        )
    if charge.tax_minor:
        parts.append(
            _now("%(net)s and %(tax)s tax")
            % {
                "net": amount(charge.net_minor, currency),
                "tax": amount(charge.tax_minor, currency),
            }
        )
    if hasattr(charge, "reversal"):
        parts.append(_now("taken back since"))
    return "; ".join(parts)


def letter_said(kind: str, subject: str | None) -> str:
    """Say what a letter is: what staff wrote by its own subject, any other by its kind."""
    if kind == WRITTEN.name and subject:
        return visible(subject)
    known = KINDS.get(kind)
    return _now(known.title) if known else kind


@dataclass(frozen=True)
class Told:
    """A movement in words: what, why, and where its record is ("" for nowhere)."""

    title: str
    why: str = ""
    url: str = ""


class Movements:
    """What transfers were for, looked up for many at once: four queries at most.

    What is said may be shown to the client: who entered money by hand stands with the entry only.
    """

    def __init__(self, transfers: Iterable[Transfer], currency: str) -> None:
        rows = list(transfers)
        self.currency = currency
        origins = [row.reverses if row.cause == Cause.REVERSAL else row for row in rows]
        known = [row for row in origins if row is not None]
        charges = Charge.objects.select_related("service__product", "reversal")
        payments = Payment.objects.select_related("method")
        self.charges = charges.in_bulk({row.source for row in known if row.cause in CHARGED})
        self.payments = payments.in_bulk({row.source for row in known if row.cause in PAID})
        rounded = {row.source for row in known if row.cause == Cause.ROUNDING}
        self.invoices = Invoice.objects.in_bulk(rounded) if rounded else {}
        by_hand = {row.source for row in known if row.cause == Cause.MANUAL}
        entries = HandEntry.objects.select_related("taken_back_by")
        self.entries = entries.in_bulk(by_hand) if by_hand else {}

    def told(self, transfer: Transfer) -> Told:
        """Say one; a reversal names what it takes back."""
        if transfer.cause == Cause.REVERSAL and transfer.reverses is not None:
            of = self.told(transfer.reverses)
            entry = self.entries.get(transfer.reverses.source)
            if transfer.reverses.cause == Cause.MANUAL and entry:
                back = entry.taken_back_by
                of = Told(of.title, back.reason, way_to("hand-entries", back.pk))
            return Told(_now("Taken back: %s") % of.title, of.why, of.url)
        cause = Cause(transfer.cause)
        if cause in CHARGED and (charge := self.charges.get(transfer.source)):
            return self._charge(cause, charge)
        if cause in PAID and (payment := self.payments.get(transfer.source)):
            return Told(
                f"{CAUSES[cause]}: {payment.method.name}",
                payment.number,
                way_to("payments", payment.pk),
            )
        if cause == Cause.ROUNDING and (invoice := self.invoices.get(transfer.source)):
            return Told(str(CAUSES[cause]), invoice.number, way_to("invoices", invoice.pk))
        if cause == Cause.MANUAL and (entry := self.entries.get(transfer.source)):
            sort = BY_HAND[HandEntry.Sort(entry.sort)]
            return Told(str(sort), entry.reason, way_to("hand-entries", entry.pk))
        return Told(str(CAUSES[cause]))

    def _charge(self, cause: Cause, charge: Charge) -> Told:
        said = charge_said(charge)
        if cause == Cause.CHARGE_TAX:
            said = _now("Tax: %s") % said
        url = way_to("charges", charge.pk) or way_to("services", charge.service_id)
        return Told(capfirst(said), charge_why(charge, self.currency), url)
