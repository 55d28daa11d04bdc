"""Money by hand as functions: what was given and taken for a reason, more of it, and taken back."""

from datetime import date
from typing import Annotated

from billclock.accounts.models import Role
from billclock.api import places
from billclock.api.documents import Change, Document, Kind
from billclock.api.parameters import FunctionError
from billclock.api.registry import Actor, function
from billclock.billing import by_hand, following, money
from billclock.billing.by_hand import HandEntry, Wish
from billclock.billing.clients import Account
from billclock.billing.errors import BillingError, MoneyError
from billclock.billing.money import Money

PAST_FLOOR = "on: even if the account then owes more than its terms allow"


@function("money", title="Money by hand", kind=Kind.LIST, role=Role.VIEWER, whole=True)
def listing(
    actor: Actor,
    *,
    account: Annotated[str, "the account's number; of all of them if left out"] = "",
    until: Annotated[date | None, "on this day or before it"] = None,
    limit: Annotated[int, "how many at most, up to 200"] = 50,
) -> Document:
    """List what was entered by hand, the latest first; for who has every table open to him."""
    if actor.tables is not None:
        message = f"{actor.name} may not call money: it concerns every table, not his alone"
        raise FunctionError("access", "money", "", message)
    found = HandEntry.objects.select_related("account").order_by("-pk")
    if account:
        found = found.filter(account=_account(account))
    if until is not None:
        found = found.filter(on__lte=until)
    return Document("money", Kind.LIST, rows=[_row(one) for one in found[: places.most(limit)]])


@function("money.enter", title="Enter money by hand", kind=Kind.ACTION, whole=True)
def enter(
    actor: Actor,
    *,
    account: Annotated[str, "the account's number"],
    amount: Annotated[str, "12.50 to the account, -12.50 from it"],
    currency: Annotated[str, "its currency, which is the account's, such as EUR"],
    reason: Annotated[str, "why; it stands in the account's statement"],
    key: Annotated[str, "a key of the caller's own: sent again, it is entered once"],
    sort: Annotated[str, "goodwill or correction"] = "correction",
    past_floor: Annotated[bool, PAST_FLOOR] = False,
) -> Document:
    """Give money to an account or take it, for a reason, once a key."""
    to = _account(account)
    minor = _minor(amount, currency, to)
    wish = Wish(_sort(sort), minor, reason, past_floor=past_floor)
    if not 0 < len(key) <= 60:  # noqa: PLR2004 - what a column holds beside its prefix
        raise FunctionError("value", "key", key[:60], "key: give 1 to 60 letters")
    entry, new = by_hand.enter(to, wish, by=actor.name, key=f"call {key}")
    return _done("money.enter", entry, new=new)


@function("money.reverse", title="Take money by hand back", kind=Kind.ACTION, whole=True)
def reverse(
    actor: Actor,
    *,
    elid: Annotated[int, "the entry's key"],
    reason: Annotated[str, "why; it stands in the account's statement"],
    past_floor: Annotated[bool, PAST_FLOOR] = False,
) -> Document:
    """Take an entry back by an opposite one that names it; once is all it goes."""
    entry = HandEntry.objects.select_related("account__client", "account__provider")
    found = entry.filter(pk=elid).first()
    if found is None:
        raise BillingError(f"there is no entry by hand {elid}", "give its key as money lists it")
    made, new = by_hand.take_back(found, reason, by=actor.name, past_floor=past_floor)
    return _done("money.reverse", made, new=new)


def _done(name: str, entry: HandEntry, *, new: bool) -> Document:
    """Let money that came do what it is for, and tell of the entry."""
    if new and entry.amount_minor > 0:
        following.attempt(entry.account)
    said = f"{Money(entry.amount_minor, entry.account.currency_id)}: {entry.reason}"
    changes = [Change(f"account {entry.account.number}", "", "", said)] if new else []
    return Document(name, Kind.ACTION, values=_row(entry), changes=changes)


def _account(number: str) -> Account:
    related = ("client", "provider", "funds")
    found = Account.objects.select_related(*related).filter(number=number).first()
    if found is None:
        raise BillingError(f"there is no account {number!r}", "give its number as lists show it")
    return found


def _minor(text: str, currency: str, to: Account) -> int:
    """Read an amount in the account's currency."""
    if currency != to.currency_id:
        message = f"currency: account {to.number} is in {to.currency_id}, not in {currency[:10]}"
        raise FunctionError("value", "currency", currency[:10], message)
    try:
        return money.parse(text, currency, "en").minor
    except MoneyError as error:
        raise FunctionError("value", "amount", text[:40], f"amount: {error}") from None


def _sort(text: str) -> HandEntry.Sort:
    if text not in HandEntry.Sort.values:
        message = f"sort: {text[:20]!r} is none of {', '.join(HandEntry.Sort.values)}"
        raise FunctionError("value", "sort", text[:20], message)
    return HandEntry.Sort(text)


def _row(entry: HandEntry) -> dict[str, str]:
    return {
        "key": str(entry.pk),
        "account": entry.account.number,
        "amount": str(Money(entry.amount_minor, entry.account.currency_id)),
        "sort": entry.sort,
        "reason": entry.reason,
        "by": entry.by,
        "date": entry.on.isoformat(),
        "takes_back": str(entry.takes_back_id or ""),
    }
