"""Accounts: opened at a company's provider, and the terms on which they pay."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from billclock.billing import credit_limits, keeping, ledger, payers
from billclock.billing.clients import Account, Client, ClientGroup, Payer
from billclock.billing.currencies import Currency
from billclock.billing.errors import BillingError, DetailsError
from billclock.billing.keeping import Faults
from billclock.billing.ledger import LedgerAccount
from billclock.billing.payments import StoredMethod
from billclock.billing.provider import Company
from billclock.billing.registering import next_number, number_fault

MOST_LIMIT = 10**15
MOST_DAYS = 3650


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms an account pays; amounts in minor units of its currency.

    `limit` is for an account with credit only; `autopay` is what top-ups are taken from, at most
    `autopay_most` within a sliding month (None: any amount).
    """

    kind: Account.Kind = Account.Kind.PREPAID
    limit: int = 0
    credit_due_days: int = 30
    group: ClientGroup | None = None
    payer: Payer | None = None
    never_suspended: bool = False
    autopay: StoredMethod | None = None
    autopay_most: int | None = None


@transaction.atomic
def open_account(
    client: Client, company: Company, currency: Currency, terms: Terms, *, number: str = ""
) -> Account:
    """Open a client's account at a company, with the ledger account for its money.

    Without a number it gets the next one. Raises DetailsError, whose faults are by field, and
    BillingError for a closed client.
    """
    client = keeping.locked(client)
    if client.closed:
        raise BillingError(_("client %s is closed") % client.number, _("open it again first"))
    number = number.strip() or next_number(Account, "A")
    faults = _opening_faults(client, company, currency, number)
    account = Account(client=client, company=company, provider=company.provider, currency=currency)
    faults |= _faults(account, terms)
    if faults:
        raise DetailsError(number, faults)
    made = ledger.open_account(
        client, company, number=number, currency=currency.code, kind=terms.kind,
        limit_minor=terms.limit,
    )  # fmt: skip
    return _keep(made, terms)


def _opening_faults(client: Client, company: Company, currency: Currency, number: str) -> Faults:
    faults: Faults = {}
    if fault := number_fault(number):
        faults["number"] = fault
    elif Account.objects.filter(number=number).exists():
        faults["number"] = _("Another one has this already: choose another.")
    there = Account.objects.filter(client=client, provider=company.provider, currency=currency)
    if there.exists():
        faults["currency"] = _(
            "Account %(number)s is in %(currency)s at this provider already."
        ) % {
            "number": there[0].number,
            "currency": currency.code,
        }
    elif not currency.active:
        faults["currency"] = _("%s is not in use.") % currency.code
    return faults


@transaction.atomic
def change(account: Account, terms: Terms) -> Account:
    """Set an account's terms, and the floor of its money with them; raises DetailsError.

    A lower limit takes nothing back: what is owed beyond it only keeps more from being bought.
    """
    held = LedgerAccount.objects.select_for_update().get(pk=account.pk)
    row = keeping.locked(account)
    faults = _faults(row, terms)
    if faults:
        raise DetailsError(row.number, faults)
    held.floor_minor = ledger.floor_of(Account.Kind(terms.kind), terms.limit)
    held.save(update_fields=["floor_minor"])
    return _keep(row, terms)


def _keep(account: Account, terms: Terms) -> Account:
    """Save terms that were looked at; the tax follows another payer, the block the limit."""
    another = account.payer_id != (terms.payer.pk if terms.payer else None)
    account.kind, account.group, account.payer = terms.kind, terms.group, terms.payer
    account.credit_due_days = terms.credit_due_days
    account.never_suspended = terms.never_suspended
    account.autopay, account.autopay_most_minor = terms.autopay, terms.autopay_most
    account.credit_blocked = account.credit_blocked and terms.kind == Account.Kind.CREDIT
    account.save()
    if another:
        payers.retax([account.pk])
    if terms.kind == Account.Kind.CREDIT:
        credit_limits.settle(account.provider, account.provider.today(), account)
    account.refresh_from_db()
    return account


def _faults(account: Account, terms: Terms) -> Faults:
    faults: Faults = {}
    credit = terms.kind == Account.Kind.CREDIT
    if credit and not 0 < terms.limit <= MOST_LIMIT:
        faults["limit"] = _("Give the limit: how far below zero it may go.")
    elif not credit and terms.limit:
        faults["limit"] = _("Only an account with credit has a limit.")
    if not 0 <= terms.credit_due_days <= MOST_DAYS:
        faults["credit_due_days"] = _("Give days from 0 to %d.") % MOST_DAYS
    if terms.group is not None and terms.group.provider_id != account.provider_id:
        faults["group"] = _("This group is of another provider.")
    if terms.payer is not None and terms.payer.client_id != account.client_id:
        faults["payer"] = _("This payer is of another client.")
    return faults | _autopay_faults(account, terms)


def _autopay_faults(account: Account, terms: Terms) -> Faults:
    stored, most = terms.autopay, terms.autopay_most
    if stored is None:
        return {"autopay_most": _("Choose what is charged, too.")} if most is not None else {}
    place = stored.method.provider_id, stored.method.currency_id
    if stored.client_id != account.client_id or place != (
        account.provider_id,
        account.currency_id,
    ):
        return {"autopay": _("It is of another client, provider or currency.")}
    if stored.state != StoredMethod.State.USABLE and stored.pk != account.autopay_id:
        return {"autopay": _("It cannot be charged: it is not set up.")}
    if most is not None and not 0 < most <= MOST_LIMIT:
        return {"autopay_most": _("Give an amount above zero, or none.")}
    return {}


def terms_of(account: Account) -> Terms:
    """Give the terms of an account; its group, payer, funds and stored method are read for it."""
    floor = account.funds.floor_minor
    return Terms(
        kind=Account.Kind(account.kind),
        limit=-floor if account.kind == Account.Kind.CREDIT else 0,
        credit_due_days=account.credit_due_days,
        group=account.group,
        payer=account.payer,
        never_suspended=account.never_suspended,
        autopay=account.autopay,
        autopay_most=account.autopay_most_minor,
    )
