"""The ledger: accounts, transfers that are double entries, reversals, the seal of each day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import iso4217
from django.db import models, transaction
from django.db.models import F, Q, QuerySet, Sum
from django.db.models.expressions import RawSQL

from billclock import clock
from billclock.billing.clients import Account, Client
from billclock.billing.errors import NotEnoughMoneyError
from billclock.billing.money import Money
from billclock.billing.progress import JobRun
from billclock.billing.provider import Company

UNLIMITED = -(2**62)
"""The floor of an account that may owe without limit, and of our own accounts."""


class Kind(models.IntegerChoices):
    """What a ledger account holds; `owner` says whose."""

    FUNDS = 1  # a client account's money; owner: the account's number
    REVENUE = 2  # owner: provider and product type, as "acme/hosting"
    TAX = 3  # owner: the tax area
    CLEARING = 4  # money between us and a gateway; owner: the payment method's code
    EXCHANGE = 5  # the one side of a conversion; owner: the other currency
    AFFILIATE = 6  # what partners are owed; owner: the account's number
    ROUNDING = 7  # owner: the company's code
    FEES = 8  # what gateways keep; owner: the payment method's code
    OPENING = 9  # where balances from before the books come from; owner: the provider's code
    BY_HAND = 10  # what people gave and took (by_hand); owner: the provider's code


class LedgerAccount(models.Model):
    """One account of the books. Its balance is what it got less what it gave.

    All balances of a currency sum to zero. `floor_minor` is the least balance that a purchase may
    leave: 0 prepaid, -L with a credit limit, UNLIMITED postpaid and for accounts of our own.
    `exponent` is fixed at opening.
    """

    kind = models.PositiveSmallIntegerField(choices=Kind.choices)
    owner = models.CharField(max_length=100)
    currency = models.CharField(max_length=3)
    exponent = models.PositiveSmallIntegerField()
    balance_minor = models.BigIntegerField(default=0)
    floor_minor = models.BigIntegerField(default=0)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("kind", "owner", "currency"), name="ledger_account_once"
            ),
        )


class Cause(models.IntegerChoices):
    """Why money moved: with source and sequence the key that a transfer may have once.

    The source of the first two is a charge's id, of the next ones a payment's or event's.
    """

    CHARGE = 1
    CHARGE_TAX = 2
    PAYMENT = 3
    REFUND = 4
    CHARGEBACK = 5
    GATEWAY_FEE = 6
    EXCHANGE_OUT = 7
    EXCHANGE_IN = 8
    ROUNDING = 9
    AFFILIATE = 10
    OPENING = 11
    REVERSAL = 12  # source: the transfer it takes back
    MANUAL = 13  # source: the entry by hand


class Transfer(models.Model):
    """Money moved from `debit` to `credit`: one row is a double entry. Rows are only inserted.

    The references have no constraint in the database, for speed; `billclock verify` checks them.
    """

    debit = models.ForeignKey(
        LedgerAccount, models.PROTECT, related_name="given", db_constraint=False, db_index=False
    )
    credit = models.ForeignKey(
        LedgerAccount, models.PROTECT, related_name="got", db_constraint=False, db_index=False
    )
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    on = models.DateField()
    cause = models.PositiveSmallIntegerField(choices=Cause.choices)
    source = models.BigIntegerField()
    sequence = models.PositiveSmallIntegerField(default=0)
    run = models.ForeignKey(
        "billing.JobRun", models.PROTECT, null=True, related_name="+", db_constraint=False,
        db_index=False,
    )  # fmt: skip
    reverses = models.OneToOneField(
        "self", models.PROTECT, null=True, related_name="reversed_by", db_constraint=False
    )
    posted_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("cause", "source", "sequence"), name="transfer_once"),
            models.CheckConstraint(condition=models.Q(amount_minor__gt=0), name="transfer_above_0"),
            models.CheckConstraint(
                condition=~models.Q(debit=models.F("credit")), name="transfer_between_two"
            ),
        )
        indexes = (
            models.Index(fields=("debit", "on"), name="transfer_given"),
            models.Index(
                fields=("credit", "on"),
                name="transfer_got",
                condition=~models.Q(cause__in=(1, 2)),
            ),
        )


class Seal(models.Model):
    """What a business day's books were: a hash over its transfers and the seal before."""

    on = models.DateField(unique=True)
    last_transfer = models.BigIntegerField()
    transfers = models.BigIntegerField()
    digest = models.CharField(max_length=64)
    sealed_at = models.DateTimeField()


@dataclass(frozen=True, slots=True)
class Move:
    """One transfer to be posted: `amount_minor` above zero from `debit` to `credit`."""

    debit: LedgerAccount
    credit: LedgerAccount
    amount_minor: int
    cause: Cause
    source: int
    sequence: int = 0
    reverses: Transfer | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a statement: the transfer, what it meant for the account, the balance after it."""

    transfer: Transfer
    change_minor: int
    balance_minor: int


def account(kind: Kind, owner: str, currency: str, *, floor: int = UNLIMITED) -> LedgerAccount:
    """Give the ledger account of an owner, opened if there is none."""
    found, _ = LedgerAccount.objects.get_or_create(
        kind=kind,
        owner=owner,
        currency=currency,
        defaults={"exponent": iso4217.Currency(currency).exponent or 0, "floor_minor": floor},
    )
    return found


Keys = Mapping[tuple[str, str], int]
"""Ledger accounts' keys by owner and currency."""


def keys(kind: Kind) -> Keys:
    """Give the keys of all accounts of a kind, for statements that name very many."""
    rows = LedgerAccount.objects.filter(kind=kind).values_list("owner", "currency", "pk")
    return {(owner, currency): key for owner, currency, key in rows}


def floor_of(kind: Account.Kind, limit_minor: int = 0) -> int:
    """Give the least balance of a kind of account; `limit_minor` is a credit limit, 0 or more."""
    if kind == Account.Kind.POSTPAID:
        return UNLIMITED
    return -limit_minor if kind == Account.Kind.CREDIT else 0


@transaction.atomic
def open_account(
    client: Client,
    company: Company,
    *,
    number: str,
    currency: str,
    kind: Account.Kind = Account.Kind.PREPAID,
    limit_minor: int = 0,
) -> Account:
    """Open a client's account at a company's provider, with the ledger account for its money."""
    floor = floor_of(kind, limit_minor)
    return Account.objects.create(
        funds=account(Kind.FUNDS, number, currency, floor=floor),
        number=number,
        client=client,
        provider=company.provider,
        company=company,
        currency_id=currency,
        kind=kind,
        tax_area=company.country if client.country in {"", company.country} else client.country,
    )


@transaction.atomic
def post(
    moves: Sequence[Move], *, on: date, run: JobRun | None = None, keep_floor: bool = False
) -> list[Transfer]:
    """Post transfers and give them; balances follow in the same transaction.

    With `keep_floor` raises NotEnoughMoneyError, and posts nothing, where an account would fall
    below its floor. A key (cause, source, sequence) that was posted before is an IntegrityError.
    """
    changes = _changes(moves)
    locked = LedgerAccount.objects.select_for_update().order_by("pk").in_bulk(sorted(changes))
    if keep_floor:
        for key, change in changes.items():
            held = locked[key]
            if change < 0 and held.balance_minor + change < held.floor_minor:
                have = held.balance_minor - held.floor_minor
                amounts = Money(-change, held.currency), Money(have, held.currency)
                raise NotEnoughMoneyError(held.owner, *amounts)
    now = clock.now()
    made = Transfer.objects.bulk_create(
        Transfer(
            debit=move.debit,
            credit=move.credit,
            amount_minor=move.amount_minor,
            currency=move.debit.currency,
            on=on,
            cause=move.cause,
            source=move.source,
            sequence=move.sequence,
            run=run,
            reverses=move.reverses,
            posted_at=now,
        )
        for move in moves
    )
    for key in sorted(changes):
        LedgerAccount.objects.filter(pk=key).update(balance_minor=F("balance_minor") + changes[key])
    return made


def _changes(moves: Iterable[Move]) -> Counter[int]:
    changes: Counter[int] = Counter()
    for move in moves:
        if move.debit.currency != move.credit.currency:
            raise ValueError(f"{move.debit.currency} cannot go to {move.credit.currency}")
        changes[move.debit.pk] -= move.amount_minor
        changes[move.credit.pk] += move.amount_minor
    return changes


@transaction.atomic
def reverse(
    transfers: Iterable[Transfer], *, on: date, run: JobRun | None = None
) -> list[Transfer]:
    """Take transfers back by opposite ones that name them; each can be taken back once."""
    moves = [
        Move(
            debit=done.credit,
            credit=done.debit,
            amount_minor=done.amount_minor,
            cause=Cause.REVERSAL,
            source=done.pk,
            reverses=done,
        )
        for done in transfers
    ]
    return post(moves, on=on, run=run)


def available(held: LedgerAccount, *, credit_blocked: bool = False) -> int:
    """Give what may still be spent, in minor units; a blocked credit limit counts as none."""
    floor = max(held.floor_minor, 0) if credit_blocked else held.floor_minor
    return held.balance_minor - floor


def received(held: LedgerAccount) -> QuerySet[Transfer]:
    """Give the transfers to an account; those to a client's by the index that is without charges.

    Charges never bring a client money. SQLite sees that in the very words of the index only.
    """
    found = Transfer.objects.filter(credit=held)
    return found.filter(_NO_CHARGE) if held.kind == Kind.FUNDS else found


_NO_CHARGE = RawSQL(
    'NOT ("billing_transfer"."cause" IN (1, 2))', (), output_field=models.BooleanField()
)


def balance(held: LedgerAccount, on: date) -> int:
    """Give an account's balance at the end of a business date, from its transfers alone."""
    got = received(held).filter(on__lte=on).aggregate(sum=Sum("amount_minor"))
    given = Transfer.objects.filter(debit=held, on__lte=on).aggregate(sum=Sum("amount_minor"))
    return (got["sum"] or 0) - (given["sum"] or 0)


def statement(held: LedgerAccount, first: date, last: date) -> Iterator[Entry]:
    """Give an account's transfers from `first` to `last`, oldest first, with running balance."""
    balance_minor = balance(held, first - timedelta(days=1))
    came = Q(credit=held) & Q(_NO_CHARGE) if held.kind == Kind.FUNDS else Q(credit=held)
    found = Transfer.objects.filter(Q(debit=held) | came, on__range=(first, last))
    found = found.select_related("reverses").order_by("on", "id")
    for transfer in found.iterator():
        change = transfer.amount_minor if transfer.credit_id == held.pk else -transfer.amount_minor
        balance_minor += change
        yield Entry(transfer, change, balance_minor)
