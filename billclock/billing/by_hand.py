"""Money entered by hand: given to an account or taken from it, with a reason and in whose name."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import models, transaction

from billclock import clock
from billclock.billing import ledger
from billclock.billing.clients import Account
from billclock.billing.errors import BillingError, NotEnoughMoneyError
from billclock.billing.ledger import Cause, Kind, LedgerAccount, Move, Transfer
from billclock.billing.money import Money
from billclock.billing.payments import announce

MOST = 10**14
"""More minor units than this are a slip of the hand."""

LONGEST_REASON = 300


class HandEntry(models.Model):
    """Money that a person moved: above zero into an account, below it out. Rows are only inserted.

    `key` is the form's or the caller's own: what is sent twice is entered once. `takes_back` is
    the entry that this one undoes.
    """

    class Sort(models.TextChoices):
        GOODWILL = "goodwill"
        CORRECTION = "correction"

    key = models.CharField(max_length=80, unique=True)
    account = models.ForeignKey(Account, models.PROTECT, related_name="hand_entries")
    sort = models.CharField(max_length=12, choices=Sort.choices)
    amount_minor = models.BigIntegerField()
    reason = models.CharField(max_length=LONGEST_REASON)
    by = models.CharField(max_length=254)
    on = models.DateField()
    entered_at = models.DateTimeField()
    takes_back = models.OneToOneField(
        "self", models.PROTECT, null=True, related_name="taken_back_by"
    )

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=~models.Q(amount_minor=0), name="hand_entry_not_of_nothing"
            ),
            models.CheckConstraint(
                condition=~models.Q(reason="") & ~models.Q(by=""), name="hand_entry_says_why"
            ),
        )


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person wants moved: `minor` above zero into the account, below it out of it.

    `past_floor` lets an account owe more than its terms allow: where it was given too much.
    """

    sort: HandEntry.Sort
    minor: int
    reason: str
    past_floor: bool = False


@transaction.atomic
def enter(account: Account, wish: Wish, *, by: str, key: str) -> tuple[HandEntry, bool]:
    """Move money between an account and our own, once a key; give the entry, and if it is new.

    What waits for money that came is owed from then on (following). Raises BillingError for what
    has no amount or reason, or another wish under a known key; NotEnoughMoneyError below the floor.
    """
    held = LedgerAccount.objects.select_for_update().get(pk=account.pk)
    known = HandEntry.objects.filter(key=key).first()
    if known is not None:
        _require_same(known, account, wish)
        return known, False
    _require_sound(account, wish)
    _require_money(account, held, wish.minor, past_floor=wish.past_floor)
    entry = _written(account, wish, by=by, key=key)
    ours = ledger.account(Kind.BY_HAND, account.provider.code, account.currency_id)
    giver, taker = (ours, held) if wish.minor > 0 else (held, ours)
    ledger.post([Move(giver, taker, abs(wish.minor), Cause.MANUAL, entry.pk)], on=entry.on)
    if wish.minor > 0:
        announce(account)
    return entry, True


@transaction.atomic
def take_back(
    entry: HandEntry, reason: str, *, by: str, past_floor: bool = False
) -> tuple[HandEntry, bool]:
    """Undo an entry by an opposite one; give that, and whether it is new: once is all it goes.

    Raises BillingError without a reason and for what takes back itself, and NotEnoughMoneyError
    where the account has spent it.
    """
    account = entry.account
    held = LedgerAccount.objects.select_for_update().get(pk=account.pk)
    known = HandEntry.objects.filter(takes_back=entry).first()
    if known is not None:
        return known, False
    if entry.takes_back_id is not None:
        raise BillingError(
            f"entry {entry.pk} takes back entry {entry.takes_back_id}", "enter the money anew"
        )
    wish = Wish(HandEntry.Sort(entry.sort), -entry.amount_minor, reason, past_floor)
    _require_sound(account, wish)
    _require_money(account, held, wish.minor, past_floor=past_floor)
    made = _written(account, wish, by=by, key=f"back {entry.pk}", takes_back=entry)
    ledger.reverse(Transfer.objects.filter(cause=Cause.MANUAL, source=entry.pk), on=made.on)
    if wish.minor > 0:
        announce(account)
    return made, True


def _written(
    account: Account, wish: Wish, *, by: str, key: str, takes_back: HandEntry | None = None
) -> HandEntry:
    return HandEntry.objects.create(
        key=key,
        account=account,
        sort=wish.sort,
        amount_minor=wish.minor,
        reason=wish.reason.strip(),
        by=by,
        on=account.provider.today(),
        entered_at=clock.now(),
        takes_back=takes_back,
    )


def _require_same(known: HandEntry, account: Account, wish: Wish) -> None:
    """Refuse another wish under a key that was used: the caller has mixed up his keys."""
    if (known.account_id, known.sort, known.amount_minor, known.reason) != (
        account.pk, wish.sort, wish.minor, wish.reason.strip(),
    ):  # fmt: skip
        shown = Money(known.amount_minor, known.account.currency_id)
        raise BillingError(
            f"key {known.key} was used for {shown} of account {known.account.number}",
            "give each entry a key of its own",
        )


def _require_sound(account: Account, wish: Wish) -> None:
    if not 0 < abs(wish.minor) <= MOST:
        raise BillingError(
            f"{wish.minor} is no amount to be entered", f"give 1 to {MOST} in minor units"
        )
    if not wish.reason.strip() or len(wish.reason.strip()) > LONGEST_REASON:
        raise BillingError(
            "money is not moved without a reason", f"say why, in at most {LONGEST_REASON} letters"
        )
    if account.client.closed:
        raise BillingError(f"client {account.client.number} is closed", "open it again first")


def _require_money(account: Account, held: LedgerAccount, minor: int, *, past_floor: bool) -> None:
    """Refuse to take what the account may not spend, by its terms."""
    have = ledger.available(held, credit_blocked=account.credit_blocked)
    if minor < 0 and not past_floor and have + minor < 0:
        code = account.currency_id
        raise NotEnoughMoneyError(account.number, Money(-minor, code), Money(have, code))
