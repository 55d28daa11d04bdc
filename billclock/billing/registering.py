"""Clients, the people who speak for them, and groups: registered, changed, closed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from itertools import count
from typing import Any

import phonenumbers
from django.db import models, transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from billclock.billing import keeping, payers
from billclock.billing.clients import Account, Client, ClientGroup, Contact
from billclock.billing.documents.paper import LANGUAGES
from billclock.billing.errors import BillingError
from billclock.billing.founding import is_country
from billclock.billing.keeping import Faults
from billclock.billing.ledger import LedgerAccount
from billclock.billing.letters import readers
from billclock.billing.money import Money
from billclock.billing.notice_kinds import KINDS
from billclock.billing.notifications import Subscription
from billclock.billing.provider import Provider
from billclock.billing.services import Service

_NUMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")


def next_number(model: type[models.Model], sign: str) -> str:
    """Give a number that no client or account has: C and the next key, or the first free after."""
    rows: models.Manager[Any] = model.objects  # type: ignore[attr-defined]
    last = rows.aggregate(last=Max("pk"))["last"] or 0
    numbers = (f"{sign}{n}" for n in count(last + 1))
    return next(number for number in numbers if not rows.filter(number=number).exists())


def number_fault(number: str) -> str:
    """Say what is wrong with the number of a client or an account, if anything."""
    if _NUMBER.fullmatch(number):
        return ""
    return _("Give letters, digits and . _ / - only.")


@transaction.atomic
def register(*, number: str = "", on: date, **details: Any) -> Client:
    """Register a client with the facts of Client; without a number he gets the next one.

    Raises DetailsError, whose faults are by field.
    """
    number = number.strip() or next_number(Client, "C")
    return _keep(Client(registered_on=on), {**details, "number": number})


@transaction.atomic
def change(client: Client, **details: Any) -> Client:
    """Change a client; another country is another tax, for what is charged from now on."""
    mine = payers.hold(Account.objects.filter(client=client))
    row = keeping.locked(client)
    moved = bool(keeping.changed(row, details, ("country",)))
    kept = _keep(row, details)
    if moved:
        payers.retax(mine)
    return kept


def _keep(row: Client, details: dict[str, Any]) -> Client:
    faults: Faults = {}
    if fault := number_fault(details.get("number", row.number)):
        faults["number"] = fault
    if "country" in details and details["country"] and not is_country(details["country"]):
        faults["country"] = _("Give a country by two letters of ISO 3166, such as DE.")
    if not str(details.get("name", row.name)).strip():
        faults["name"] = _("Give a name.")
    return keeping.keep(row, details, faults)


@transaction.atomic
def close(client: Client) -> Client:
    """Close a client, who then orders nothing; BillingError while he has services or money.

    What he has is ended and given back first, so that nothing is lost by a click.
    """
    held = LedgerAccount.objects.select_for_update().filter(holder__client=client)
    balances = [
        f"{one.owner}: {Money(one.balance_minor, one.currency)}"
        for one in held.order_by("pk")
        if one.balance_minor
    ]
    row = keeping.locked(client)
    services = Service.objects.open().filter(account__client=row)
    numbers = list(services.order_by("pk").values_list("number", flat=True)[:3])
    if numbers:
        raise BillingError(
            _("client %(number)s still has services: %(services)s")
            % {"number": row.number, "services": ", ".join(numbers)},
            _("end them first"),
        )
    if balances:
        raise BillingError(
            _("client %(number)s has money or debts: %(balances)s")
            % {"number": row.number, "balances": ", ".join(balances)},
            _("give the money back, or let the debt be paid, first"),
        )
    row.closed = True
    row.save(update_fields=["closed"])
    return row


@transaction.atomic
def reopen(client: Client) -> Client:
    """Let a closed client order again."""
    row = keeping.locked(client)
    row.closed = False
    row.save(update_fields=["closed"])
    return row


@transaction.atomic
def add_contact(client: Client, *, letters: Iterable[str] | None = None, **details: Any) -> Contact:
    """Add somebody who speaks for a client, with the facts of Contact; raises DetailsError.

    The phone is read as numbers are dialled in the client's country, and kept in E.164. `letters`
    names the optional kinds of notices he wants; None leaves him the usual ones.
    """
    made = _keep_contact(Contact(client=client), details)
    _subscribe(made, letters)
    return made


@transaction.atomic
def change_contact(
    contact: Contact, *, letters: Iterable[str] | None = None, **details: Any
) -> Contact:
    """Change somebody who speaks for a client; a new phone is one that was not verified yet."""
    row = keeping.locked(contact)
    before = row.phone
    kept = _keep_contact(row, details)
    if kept.phone != before and kept.phone_verified_at is not None:
        kept.phone_verified_at = None
        kept.save(update_fields=["phone_verified_at"])
    _subscribe(kept, letters)
    return kept


@transaction.atomic
def remove_contact(contact: Contact) -> None:
    """Take a person off a client, with what he subscribed to."""
    keeping.locked(contact).delete()


def _keep_contact(row: Contact, details: dict[str, Any]) -> Contact:
    faults: Faults = {}
    phone = str(details.get("phone", row.phone)).strip()
    facts = dict(details)
    if phone:
        read = e164(phone, row.client.country)
        if read is None:
            faults["phone"] = _("No number is dialled like this; write it as +49 30 901820.")
        else:
            facts["phone"] = read
    elif details.get("sms", row.sms):
        faults["sms"] = _("Give a phone for texts.")
    if not phone and not str(details.get("email", row.email)).strip():
        faults["email"] = _("Give an e-mail address or a phone, or nobody can reach him.")
    if details.get("language", row.language) not in LANGUAGES:
        faults["language"] = _("Letters are written in: %s.") % ", ".join(LANGUAGES)
    return keeping.keep(row, facts, faults)


def e164(text: str, country: str) -> str | None:
    """Read a phone number as it is dialled in a country, or with +; None where there is none."""
    try:
        number = phonenumbers.parse(text, country or None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def wanted(contact: Contact) -> list[str]:
    """Give the optional kinds of notices that somebody gets by mail."""
    chosen = dict(
        Subscription.objects.filter(contact=contact, channel=readers.MAIL).values_list("kind", "on")
    )
    return [one.name for one in KINDS.values() if one.optional and chosen.get(one.name, one.on)]


def _subscribe(contact: Contact, letters: Iterable[str] | None) -> None:
    """Write down only what differs from what he gets anyway."""
    if letters is None:
        return
    asked, got = set(letters), set(wanted(contact))
    for name in asked ^ got:
        if name in KINDS and KINDS[name].optional:
            readers.choose(contact, KINDS[name], on=name in asked)


@transaction.atomic
def make_group(provider: Provider, **details: Any) -> ClientGroup:
    """Make a group of a provider's accounts, with the facts of ClientGroup; raises DetailsError."""
    return _keep_group(ClientGroup(provider=provider), details)


@transaction.atomic
def change_group(group: ClientGroup, **details: Any) -> ClientGroup:
    """Change a group; raises DetailsError."""
    return _keep_group(keeping.locked(group), details)


def _keep_group(row: ClientGroup, details: dict[str, Any]) -> ClientGroup:
    name = str(details.get("name", row.name)).strip()
    twin = ClientGroup.objects.filter(provider=row.provider, name=name).exclude(pk=row.pk)
    faults: Faults = {"name": _("There is one like this already.")} if twin.exists() else {}
    return keeping.keep(row, details, faults)


@transaction.atomic
def delete_group(group: ClientGroup) -> None:
    """Delete a group; BillingError while accounts are in it, whose terms would change unseen."""
    row = keeping.locked(group)
    size = row.accounts.count()
    if size:
        raise BillingError(
            _("group %(name)s has %(count)d accounts") % {"name": row.name, "count": size},
            _("put them into another group, or into none, first"),
        )
    row.delete()
