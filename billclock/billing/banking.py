"""Bank statements: each entry kept once, and credited, or left to a person who is told why."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import Q

from billclock import clock
from billclock.billing import following, gateway_events, paying, returning
from billclock.billing.clients import Account
from billclock.billing.errors import BillingError, StatementError
from billclock.billing.invoices import Invoice
from billclock.billing.money import Money
from billclock.billing.owed import Owed, Target
from billclock.billing.payment_methods.base import Event, EventKind
from billclock.billing.payments import BankEntry, GatewayEvent, Payment, PaymentMethod
from billclock.billing.services import Task
from billclock.billing.statements import camt, delimited
from billclock.billing.statements.base import Fault, Reading, StatementEntry, check_size, tidy
from billclock.billing.statements.delimited import Layout
from billclock.billing.statements.matching import Match, Matched, squeezed

TASK = "bank"
"""The kind of the tasks that ask a person what an entry pays."""

AT_ONCE = 500
MOST_NAMED = 10


@dataclass(slots=True)
class Imported:
    """What an import did: rows credited, waiting and gone out; `known` were imported before.

    `faults` are entries that could not be read or kept, by their place in the file.
    """

    credited: list[BankEntry] = field(default_factory=list)
    waiting: list[BankEntry] = field(default_factory=list)
    out: list[BankEntry] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    known: int = 0
    pending: int = 0

    @property
    def sums(self) -> dict[str, int]:
        """Give what was credited, in minor units by currency."""
        sums: Counter[str] = Counter()
        for entry in self.credited:
            sums[entry.currency] += entry.amount_minor
        return dict(sums)


def import_statement(method: PaymentMethod, data: bytes) -> Imported:
    """Import a bank's statement into a method that is paid by statement.

    Each entry is one transaction; an import that was cut off goes on when it is made again.
    Raises StatementError for a file that is none of this method's, and then changed nothing.
    """
    reading = read(method, data)
    _require_own(method, reading)
    done = Imported(
        faults=list(reading.faults), known=reading.repeated, pending=reading.pending
    )  # fmt: skip
    known = _known(method, reading.entries)
    fresh = [entry for entry in reading.entries if entry.key not in known]
    done.known += len(reading.entries) - len(fresh)
    twins = _Twins(method, fresh)
    owed = Owed(method)
    for match in owed.match(fresh):
        try:
            entry = keep(method, match, owed.targets(match), twin=twins.of(match.entry))
        except BillingError as error:
            done.faults.append(Fault(match.entry.where, str(error)))
            continue
        _count(done, entry)
    return done


def read(method: PaymentMethod, data: bytes) -> Reading:
    """Read a file as camt.053, or by the layout of the method's settings; raise StatementError."""
    if not paying.gateway(method).features.by_statement:
        raise StatementError("", f"{method.code} is not paid by bank statement")
    check_size(data)
    if camt.recognises(data):
        return camt.read(data)
    layout = method.settings.get("layout", "")
    if not layout:
        raise StatementError(
            "", f"it is no XML, and {method.code} does not say what the columns of a CSV are",
            "set its layout, or ask the bank for camt.053",
        )  # fmt: skip
    return delimited.read(data, Layout.of(layout))


@transaction.atomic
def keep(
    method: PaymentMethod, match: Match, targets: Sequence[Target], *, twin: str = ""
) -> BankEntry | None:
    """Keep an entry, and credit it where it is matched; None where it was kept before.

    `twin` names an entry of an earlier import that looks like the same movement.
    """
    told = match.entry
    why = f"it looks like {twin}, imported before" if twin else match.why
    entry, new = BankEntry.objects.get_or_create(
        method=method,
        key=told.key,
        defaults={
            "on": told.on,
            "amount_minor": told.minor,
            "currency": told.currency,
            "name": told.party[:200],
            "iban": told.iban,
            "text": tidy(told.reference, told.text),
            "why": why[:300],
            "imported_at": clock.now(),
        },
    )
    if not new:
        return None
    if isinstance(match, Matched) and not twin:
        paid = [
            _credit(entry, target, minor, number)
            for number, (target, minor) in enumerate(_shares(match, targets))
        ]
        entry.payment = paid[0]
        entry.save(update_fields=["payment"])
    elif told.minor > 0 or told.reversal:
        _give_to_staff(entry, [target.name for target in targets])
    return entry


@transaction.atomic
def assign(entry: BankEntry, to: Payment | Invoice | Account, *, by: str) -> Payment:
    """Let a person say what an entry pays; money that went out is of the payment it takes back.

    Raises BillingError where that was said before, or cannot be.
    """
    entry = BankEntry.objects.select_for_update(of=("self",)).get(pk=entry.pk)
    if entry.payment is not None:
        raise BillingError(
            f"the entry of {entry.on} is of {entry.payment.number} already",
            "give that payment back first",
        )
    account = to if isinstance(to, Account) else to.account
    if account.currency_id != entry.currency:
        raise BillingError(
            f"the entry is in {entry.currency}, account {account.number} in {account.currency_id}",
            "let the bank change it, or post it by hand",
        )
    payment = _taken_back(entry, to) if entry.amount_minor < 0 else _paid(entry, to)
    entry.aside_by = ""
    _decide(entry, payment, f"{entry.why}; assigned by {by}", by)
    return payment


@transaction.atomic
def set_aside(entry: BankEntry, why: str, *, by: str) -> None:
    """Let a person say that an entry is no client's money."""
    entry = BankEntry.objects.select_for_update(of=("self",)).get(pk=entry.pk)
    if entry.payment is not None:
        raise BillingError(f"the entry of {entry.on} is of {entry.payment.number} already")
    entry.aside_by = by
    _decide(entry, None, f"{why} ({by})", by)


def waiting(method: PaymentMethod) -> list[BankEntry]:
    """Give the entries of a method that wait for a person, the oldest first."""
    tasks = set(Task.objects.filter(kind=TASK, done_at=None).values_list("key", flat=True))
    entries = BankEntry.objects.filter(method=method, payment=None).select_related("method")
    return [entry for entry in entries.order_by("on", "id") if _task_key(entry) in tasks]


def asked_about(at_most: int = 5000) -> Q:
    """Give the condition of entries that wait for a person, found by their tasks."""
    keys = Task.objects.filter(kind=TASK, done_at=None).order_by("pk")[:at_most]
    known: dict[str, list[str]] = defaultdict(list)
    for task_key in keys.values_list("key", flat=True):
        code, key = _named_by(task_key)
        known[code].append(key)
    methods = dict(PaymentMethod.objects.filter(code__in=known).values_list("code", "pk"))
    waits = Q(pk__in=())
    for code, pk in methods.items():
        waits |= Q(method=pk, key__in=known[code])
    return waits


def entry_of(task: Task) -> BankEntry | None:
    """Give the entry that a task asks about; None where it is about something else."""
    if task.kind != TASK:
        return None
    code, key = _named_by(task.key)
    return BankEntry.objects.filter(method__code=code, key=key).first()


def is_decided(entry: BankEntry) -> bool:
    """Tell whether somebody said what an entry pays, or that it is no client's money."""
    return entry.payment_id is not None or bool(entry.aside_by)


def _named_by(task_key: str) -> tuple[str, str]:
    """Give the method's code and the entry's key."""
    code, _blank, key = task_key.removeprefix("bank ").partition(" ")
    return code, key


def _paid(entry: BankEntry, to: Payment | Invoice | Account) -> Payment:
    if not entry.amount_minor:
        raise BillingError(f"the entry of {entry.on} is of no money", "set it aside")
    if isinstance(to, Account):
        return _credit(entry, Target(to, 0), entry.amount_minor)
    if isinstance(to, Payment) and to.method_id != entry.method_id:
        raise BillingError(
            f"payment {to.number} is of {to.method.code}, the entry of {entry.method.code}",
            "assign it to the account of that payment",
        )
    payment, invoice = (to, None) if isinstance(to, Payment) else (None, to)
    return _credit(entry, Target(to.account, 0, payment, invoice), entry.amount_minor)


def _taken_back(entry: BankEntry, to: Payment | Invoice | Account) -> Payment:
    captured = None
    if isinstance(to, Payment) and to.method_id == entry.method_id:
        captured = to.events.filter(kind=EventKind.CAPTURED).first()
    if captured is None or not isinstance(to, Payment):
        raise BillingError(
            f"the entry of {entry.on} is money that went out",
            "assign it to the payment of this method that it takes back",
        )
    told = Event(
        EventKind.REFUNDED, entry.key, entry.key, clock.now(), payment_id=captured.gateway_id,
        minor=-entry.amount_minor, currency=entry.currency,
    )  # fmt: skip
    returning.told(entry.method, told)
    return to


def _credit(entry: BankEntry, target: Target, minor: int, number: int = 0) -> Payment:
    """Credit a share of an entry, under a name of its own; give the payment that it became."""
    name = f"{entry.key}/{number}" if number else entry.key
    payment = target.payment or _open_payment(entry, target.invoice)
    if payment is None:
        payment = paying.request(
            target.account,
            entry.method,
            minor,
            key=gateway_events.named(f"bank {entry.method.code} {name}"),
            purpose=Payment.Purpose.INVOICE if target.invoice else Payment.Purpose.OTHER,
            invoice=target.invoice,
        )
    paying.credit(payment, name, minor)
    captured = GatewayEvent.objects.select_related("payment__account__provider").get(
        method=entry.method, gateway_id=name, kind=EventKind.CAPTURED
    )
    return captured.payment or payment


def _open_payment(entry: BankEntry, invoice: Invoice | None) -> Payment | None:
    if invoice is None:
        return None
    found = invoice.payments.filter(method=entry.method, state=Payment.State.NEW, stored=None)
    return found.order_by("id").first()


def _decide(entry: BankEntry, payment: Payment | None, why: str, by: str) -> None:
    entry.payment, entry.why = payment, why[:300]
    entry.save(update_fields=["payment", "why", "aside_by"])
    task = Task.objects.filter(key=_task_key(entry), done_at=None)
    task.update(done_at=clock.now(), done_by=by)


def _shares(match: Matched, targets: Sequence[Target]) -> Iterator[tuple[Target, int]]:
    """Part an entry's money among what it names, open sums first; the last takes what is left."""
    open_ones = [target for target in targets if target.open_minor] or list(targets[:1])
    left = match.entry.minor
    for target in open_ones[:-1]:
        share = min(target.open_minor, left)
        if share:
            yield target, share
        left -= share
    if left:
        yield open_ones[-1], left


def _give_to_staff(entry: BankEntry, names: Sequence[str]) -> None:
    shown = Money(entry.amount_minor, entry.currency)
    who = entry.name or entry.iban or "nobody named"
    Task.objects.get_or_create(
        key=_task_key(entry),
        defaults={
            "kind": TASK,
            "subject": f"{entry.method.code}: {shown} of {entry.on}, {who}: {entry.why}"[:200],
            "text": "\n".join(filter(None, (entry.text, entry.why, ", ".join(names[:MOST_NAMED])))),
            "created_at": clock.now(),
        },
    )


def _task_key(entry: BankEntry) -> str:
    return gateway_events.named(f"bank {entry.method.code} {entry.key}")


def _require_own(method: PaymentMethod, reading: Reading) -> None:
    """Refuse statements of another account than the method's: its money is not ours."""
    ours = squeezed(method.settings.get("account", ""))
    for entry in reading.entries:
        if entry.account and squeezed(entry.account) != ours:
            raise StatementError(
                entry.where, f"a statement of account {entry.account}, {method.code} has"
                f" {method.settings.get('account')}", "choose the method of that account",
            )  # fmt: skip


def _known(method: PaymentMethod, entries: Sequence[StatementEntry]) -> set[str]:
    """Give the keys of those that were imported before."""
    known: set[str] = set()
    for start in range(0, len(entries), AT_ONCE):
        keys = [entry.key for entry in entries[start : start + AT_ONCE]]
        found = BankEntry.objects.filter(method=method, key__in=keys)
        known |= set(found.values_list("key", flat=True))
    return known


class _Twins:
    """Entries of earlier imports by day and amount: the same movement may come in two files."""

    def __init__(self, method: PaymentMethod, entries: Sequence[StatementEntry]) -> None:
        self._known: dict[tuple[object, ...], list[BankEntry]] = defaultdict(list)
        if entries:
            days = [entry.on for entry in entries]
            found = BankEntry.objects.filter(method=method, on__range=(min(days), max(days)))
            for entry in found:
                self._known[entry.on, entry.amount_minor, entry.currency].append(entry)

    def of(self, told: StatementEntry) -> str:
        """Name the entry that looks like this one, "" where there is none."""
        text = squeezed(tidy(told.reference, told.text))
        for entry in self._known.get((told.on, told.minor, told.currency), ()):
            same_payer = bool(told.iban) and told.iban == entry.iban
            if same_payer or (text and text == squeezed(entry.text)):
                return f"the entry of {entry.on}, {entry.name or entry.iban or entry.key}"
        return ""


def _count(done: Imported, entry: BankEntry | None) -> None:
    """Count a kept entry, and let its money do what waited for it."""
    if entry is None:
        done.known += 1
    elif entry.payment is not None:
        done.credited.append(entry)
        following.attempt(entry.payment.account)
    elif entry.amount_minor > 0 or Task.objects.filter(key=_task_key(entry)).exists():
        done.waiting.append(entry)
    else:
        done.out.append(entry)
