"""What an issued invoice is to the books: the rounding of its tax; what money has paid of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from django.db.models import Sum

from billclock.billing import engine, ledger, pricing
from billclock.billing.charges import Charge
from billclock.billing.invoices import Invoice
from billclock.billing.ledger import Cause, Kind, LedgerAccount, Move


def lock(accounts: Iterable[int]) -> None:
    """Take the ledger accounts of accounts, in the order of their keys."""
    held = LedgerAccount.objects.select_for_update().filter(pk__in=sorted(accounts))
    list(held.order_by("pk").values_list("pk", flat=True))


def post(invoices: Sequence[Invoice], on: date) -> None:
    """Move what each invoice's figures differ by from what its charges posted.

    The account pays the difference of the total to its company's rounding account, and that gives
    each area the difference of its tax; a credit note moves them back. So each account has paid
    what its documents say, and each area is owed what they say.
    """
    by_key = {invoice.pk: invoice for invoice in invoices}
    moves = [
        move
        for key, differences in _differences(by_key).items()
        for move in _moves(by_key[key], differences)
    ]
    if moves:
        ledger.post(moves, on=on)


def _differences(keys: Iterable[int]) -> dict[int, list[tuple[str, int, int]]]:
    """Give by invoice, and for each tax area, by how much its total and its tax differ."""
    wanted = ", ".join(map(str, keys))
    found = engine.rows(
        f"""SELECT l.invoice_id, l.tax_area,
                   sum(l.net_minor + l.tax_minor - c.net_minor - c.tax_minor),
                   sum(l.tax_minor - c.tax_minor)
            FROM billing_invoiceline l
            LEFT JOIN billing_invoiceline o ON o.id = l.takes_back_id
            JOIN billing_charge c ON c.id = coalesce(l.charge_id, o.charge_id)
            WHERE l.invoice_id IN ({wanted})
            GROUP BY l.invoice_id, l.tax_area ORDER BY l.invoice_id, l.tax_area"""  # noqa: S608
    )
    by_invoice: defaultdict[int, list[tuple[str, int, int]]] = defaultdict(list)
    for key, area, total, tax in found:
        if total or tax:
            by_invoice[key].append((area, int(total), int(tax)))
    return by_invoice


def _moves(invoice: Invoice, differences: Sequence[tuple[str, int, int]]) -> Iterator[Move]:
    company, currency = invoice.company, invoice.currency
    middle = ledger.account(Kind.ROUNDING, company.code, currency)
    sign = -1 if invoice.kind == Invoice.Kind.CREDIT_NOTE else 1
    total = sign * sum(difference for _, difference, _ in differences)
    ways = [(0, invoice.account.funds, middle, total)]
    for place, (area, _, tax) in enumerate(differences, 1):
        ways.append((place, middle, pricing.tax_account(company, area, currency), sign * tax))
    for sequence, giver, taker, amount in ways:
        if amount:
            sides = (giver, taker) if amount > 0 else (taker, giver)
            yield Move(*sides, abs(amount), Cause.ROUNDING, invoice.pk, sequence)


def cover(invoices: Sequence[Invoice], on: date) -> None:
    """Say of new invoices what money has paid of them; what it paid whole is paid.

    Money pays the oldest debt first. So of what an account owes, the newest is unpaid: what is on
    no invoice yet, then these invoices, the last one first. A credit note gave its money back.
    """
    wanted = [invoice for invoice in invoices if invoice.kind == Invoice.Kind.INVOICE]
    owed = debts({invoice.account_id for invoice in wanted}, on.replace(day=1))
    for invoice in reversed(wanted):
        still = min(invoice.total_minor, owed[invoice.account_id])
        owed[invoice.account_id] -= still
        invoice.covered_minor = invoice.total_minor - still
        invoice.paid_on = None if still else on
    for invoice in invoices:
        if invoice.kind == Invoice.Kind.CREDIT_NOTE:
            invoice.paid_on = on


def debts(accounts: Iterable[int], since: date) -> dict[int, int]:
    """Give what accounts owe of invoices: without what was charged from a day on and is on none."""
    keys = sorted(accounts)
    held = LedgerAccount.objects.filter(pk__in=keys).values_list("pk", "balance_minor")
    loose = (
        Charge.objects.filter(account__in=keys, on__gte=since, reversal=None, invoice_line=None)
        .values("account_id")
        .annotate(sum=Sum("net_minor") + Sum("tax_minor"))
    )
    newer = {row["account_id"]: row["sum"] for row in loose}
    return {key: max(-balance - newer.get(key, 0), 0) for key, balance in held}
