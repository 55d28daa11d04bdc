"""Who reads an account's letters: its client's people, what they chose, how they leave off."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urljoin

from django.conf import settings
from django.core import signing
from django.db import transaction

from billclock.billing.clients import Account, Client, Contact
from billclock.billing.errors import BillingError
from billclock.billing.notice_kinds import KINDS, Kind
from billclock.billing.notifications import Subscription

MAIL = "mail"
PATH = "letters/unsubscribe/"
_SALT = "billclock.letters"


class BadLinkError(BillingError):
    """A link to unsubscribe that we did not make, or whose reader is gone."""


@dataclass(frozen=True, slots=True)
class Readers:
    """Those who get a letter; where that is nobody, why, and whether they chose so themselves."""

    people: Sequence[Contact] = ()
    why_nobody: str = ""
    unwanted: bool = False


def readers(account: Account, kind: Kind) -> Readers:
    """Give the people who get a kind of letter, one an address."""
    people = [c for c in account.client.contacts.order_by("id") if c.email.strip()]
    if not people:
        return Readers(
            why_nobody=f"client {account.client.number} has nobody with an e-mail address"
        )
    unwilling = _unwilling(people, kind)
    wanted = [contact for contact in people if contact.pk not in unwilling]
    if not wanted:
        return Readers(why_nobody="nobody wants such letters", unwanted=True)
    by_address = {contact.email.strip().lower(): contact for contact in reversed(wanted)}
    return Readers(list(reversed(by_address.values())))


def _unwilling(people: Sequence[Contact], kind: Kind) -> set[int]:
    """Give the keys of those who do not want a kind, by their choice or by what it is."""
    if not kind.optional:
        return set()
    chosen = dict(
        Subscription.objects.filter(contact__in=people, kind=kind.name, channel=MAIL).values_list(
            "contact_id", "on"
        )
    )
    return {contact.pk for contact in people if not chosen.get(contact.pk, kind.on)}


def link(contact: Contact, kind: Kind) -> str:
    """Give the address by which a reader leaves off a kind, signed in or not; "" for none."""
    if not kind.optional:
        return ""
    token = signing.dumps([contact.pk, kind.name], salt=_SALT)
    return urljoin(settings.PUBLIC_URL.rstrip("/") + "/", f"{PATH}{token}")


def of_link(token: str) -> tuple[Contact, Kind]:
    """Give whom and what a link is about. Raise BadLinkError."""
    try:
        key, name = signing.loads(token, salt=_SALT)
        return Contact.objects.select_related("client").get(pk=key), KINDS[name]
    except (signing.BadSignature, Contact.DoesNotExist, KeyError, TypeError, ValueError):
        raise BadLinkError(
            "this link is not whole, or its reader is gone", "take it from the letter again"
        ) from None


def subscribed(contact: Contact, kind: Kind) -> bool:
    """Tell whether somebody gets a kind of letter."""
    return contact.pk not in _unwilling([contact], kind)


@transaction.atomic
def choose(contact: Contact, kind: Kind, *, on: bool) -> None:
    """Let somebody get a kind of letter from now on, or not; BillingError if that is no choice."""
    if not kind.optional:
        raise BillingError(f"letters of kind {kind.name} cannot be switched off")
    Subscription.objects.update_or_create(
        contact=contact, kind=kind.name, channel=MAIL, defaults={"on": on}
    )


def choices(client: Client, about: Iterable[Kind]) -> Iterator[str]:
    """Say of each of a client's people which of some kinds he gets."""
    for kind in about:
        people = list(client.contacts.order_by("id"))
        unwilling = _unwilling(people, kind)
        for contact in people:
            gets = "gets" if contact.email and contact.pk not in unwilling else "does not get"
            yield f"{contact.email or contact.name or contact.pk} {gets} {kind.name}"
