"""What letters tell beyond what their act told them: read from the books when they are written.

So a letter that waited says what is true when it leaves, and one that is not true any more is
not sent at all.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from zoneinfo import ZoneInfo

from django.db.models import Max, Q, Sum
from django.utils.translation import gettext_lazy as _

from billclock.billing import engine, ledger
from billclock.billing import notice_kinds as kinds
from billclock.billing.charges import Charge, ChargeKind
from billclock.billing.clients import Account
from billclock.billing.facts import Facts
from billclock.billing.invoices import Invoice
from billclock.billing.letters import finances
from billclock.billing.letters.news import News, NoLongerSoError, part, service_name, services
from billclock.billing.money import Money
from billclock.billing.payment_methods.declines import DeclineClass
from billclock.billing.services import Outcome, RenewalSwitch, Service, Status, Verdict

DOCUMENTS = {
    Invoice.Kind.INVOICE: _("Invoice"),
    Invoice.Kind.REQUEST: _("Request to pay"),
    Invoice.Kind.CREDIT_NOTE: _("Credit note"),
}
REFUSALS = {
    "monthly_limit": _("the most you allowed for a month has been taken"),
    DeclineClass.INSUFFICIENT_FUNDS: _("there is not enough money on the card"),
    DeclineClass.LIMIT: _("a limit of the card is reached"),
    DeclineClass.TEMPORARY: _("the bank could not answer"),
    DeclineClass.DO_NOT_HONOUR: _("the bank refused without saying why"),
    DeclineClass.AUTHENTICATION_REQUIRED: _("the bank wants you to confirm the payment"),
    DeclineClass.EXPIRED_CARD: _("the card has expired"),
    DeclineClass.LOST_OR_STOLEN: _("the bank does not accept the card"),
    DeclineClass.FRAUD: _("the bank does not accept the card"),
    DeclineClass.INVALID: _("the card's data are not valid"),
}
"""Why an automatic payment was refused, in words for the client."""


def gather(news: News) -> Facts:
    """Give all facts of a letter. Raise NoLongerSoError where it is not to be sent."""
    found = GATHERERS[news.kind](news) if news.kind in GATHERERS else {}
    return {**news.facts, **found}


def _renewed(news: News) -> Facts:
    """Tell of the periods that were charged on a date."""
    charges = (
        Charge.objects.filter(account=news.account, on=news.period, reversal=None)
        .exclude(kind__in=(ChargeKind.DAILY, ChargeKind.HOURLY, ChargeKind.PAUSE))
        .values("service_id")
        .annotate(
            net=Sum("net_minor"),
            tax=Sum("tax_minor"),
            until=Max("period_end", filter=Q(kind=ChargeKind.PERIOD)),
        )
    )
    by_service = {row["service_id"]: row for row in charges if row["until"]}
    if not by_service:
        raise NoLongerSoError("what was charged has been taken back")
    names = services(by_service)
    lines = [
        {
            "name": service_name(names[key]),
            "note": _until(row["until"]),
            "amount": news.money(row["net"] + row["tax"]),
        }
        for key, row in sorted(by_service.items(), key=lambda item: service_name(names[item[0]]))
    ]
    total = sum(row["net"] + row["tax"] for row in by_service.values())
    return {
        "count": len(lines),
        "parts": [part(lines, total=news.money(total))],
        "balance": _balance(news),
    }


def _not_renewed(news: News) -> Facts:
    """Tell of what found no money on a date and still waits for it."""
    verdicts = Verdict.objects.filter(
        service__in=_open_services(news.account),
        on=news.period,
        outcome=Outcome.UNFUNDED,
        service__unfunded_since__isnull=False,
    ).select_related("service__product")
    waiting = {verdict.service_id: verdict for verdict in verdicts.order_by("sequence")}
    if not waiting:
        raise NoLongerSoError("everything is renewed by now")
    lines = [
        {
            "name": service_name(verdict.service),
            "note": _ended(verdict.service.paid_until),
            "amount": news.money(verdict.need_minor),
        }
        for verdict in sorted(waiting.values(), key=lambda verdict: service_name(verdict.service))
    ]
    need = sum(verdict.need_minor for verdict in waiting.values())
    return {
        "count": len(lines),
        "parts": [part(lines, total=news.money(need))],
        "missing": news.money(_missing(news.account, need)),
        "balance": _balance(news),
        "grace": min(_grace(news.account, verdict.service) for verdict in waiting.values()),
    }


def _missing(account: Account, need: int) -> int:
    """Give what has to come in; where enough is there by now, what the renewals take of it."""
    missing = need - ledger.available(account.funds, credit_blocked=account.credit_blocked)
    return missing if missing > 0 else need


def _grace(account: Account, service: Service) -> int:
    own = service.product.grace_days
    return account.provider.grace_days if own is None else own


def _expiring(news: News) -> Facts:
    """Tell of a service that ends and is not renewed by itself."""
    service = _service(news)
    if service.auto_renew:
        raise NoLongerSoError("its automatic renewal was switched on")
    if service.paid_until != news.period:
        raise NoLongerSoError(f"it is paid until {service.paid_until} now")
    return {
        "service": service_name(service),
        "ends_on": news.period,
        "days": news.days(news.period),
    }


def _updates_ending(news: News) -> Facts:
    """Tell of a product whose updates end."""
    service = _service(news)
    if service.updates_until != news.period:
        raise NoLongerSoError(f"its updates end on {service.updates_until} now")
    return {
        "service": service_name(service),
        "ends_on": news.period,
        "days": news.days(news.period),
    }


def _renewal_off(news: News) -> Facts:
    """Tell of a switch of automatic renewal, which is the notice's subject."""
    switch = RenewalSwitch.objects.select_related("service__product").get(pk=news.subject)
    if switch.service.auto_renew:
        raise NoLongerSoError("its automatic renewal was switched on again")
    if switch.service.status == Status.DELETED:
        raise NoLongerSoError("the service is closed")
    until = switch.service.paid_until
    zone = ZoneInfo(news.account.provider.zone)
    return {
        "service": service_name(switch.service),
        "ends_on": until,
        "days": news.days(until),
        "by": switch.by,
        "why": switch.why,
        "switched_on": switch.at.astimezone(zone).date(),
    }


def _low_money(news: News) -> Facts:
    """Tell of money that runs out, unless as much as was missing has come since."""
    held, then = news.account.funds.balance_minor, news.facts["balance"]["minor"]
    if held >= then + news.facts["need"]["minor"] > then:
        raise NoLongerSoError("enough money has come")
    ends = date.fromisoformat(news.facts["ends_on"]["day"])
    return {"days": news.days(ends)}


def _top_up_failed(news: News) -> Facts:
    """Say in words why an automatic payment failed."""
    return {"why": REFUSALS.get(news.facts["why"], news.facts["why"])}


def _of_service(news: News) -> Facts:
    """Name the service that a notice is about."""
    found = Service.objects.filter(pk=news.subject).select_related("product").first()
    return {"service": service_name(found) if found else ""}


def _invoice(news: News) -> Facts:
    """Tell of an invoice or a request to pay, which is the notice's subject."""
    invoice = Invoice.objects.get(pk=news.subject)
    if invoice.state == Invoice.State.CANCELLED:
        raise NoLongerSoError("the invoice was cancelled")
    return {
        "document": DOCUMENTS[Invoice.Kind(invoice.kind)],
        "number": invoice.number or str(invoice.pk),
        "total": Money(invoice.total_minor, invoice.currency),
        "due_on": invoice.due_on,
        "paid_on": invoice.paid_on,
    }


GATHERERS: dict[str, Callable[[News], Facts]] = {
    kinds.RENEWED.name: _renewed,
    kinds.NOT_RENEWED.name: _not_renewed,
    kinds.EXPIRING.name: _expiring,
    kinds.UPDATES_ENDING.name: _updates_ending,
    kinds.RENEWAL_OFF.name: _renewal_off,
    kinds.LOW_MONEY.name: _low_money,
    kinds.TOP_UP_FAILED.name: _top_up_failed,
    kinds.SUSPENDED.name: _of_service,
    kinds.ADDON_OVER.name: _of_service,
    kinds.RESUMED.name: _of_service,
    kinds.CLOSED.name: _of_service,
    kinds.INVOICE.name: _invoice,
    kinds.FINANCE_WEEKLY.name: finances.gather,
    kinds.FINANCE_MONTHLY.name: finances.gather,
}


def _service(news: News) -> Service:
    """Give the service a notice is about. Raise NoLongerSoError where it does not run any more."""
    service = Service.objects.select_related("product").get(pk=news.subject)
    if service.status == Status.DELETED:
        raise NoLongerSoError("the service is closed")
    return service


def _open_services(account: Account) -> list[int]:
    # the numbers written out: only so does SQLite see that an index of these states serves
    found = engine.rows(
        "SELECT id FROM billing_service WHERE account_id = %(account)s AND status IN (2, 3, 5)",
        {"account": account.pk},
    )
    return [key for (key,) in found]


def _balance(news: News) -> Money:
    return news.money(news.account.funds.balance_minor)


def _until(day: date) -> Facts:
    return {"said": _("until %s"), "of": day}


def _ended(day: date) -> Facts:
    return {"said": _("paid until %s"), "of": day}
