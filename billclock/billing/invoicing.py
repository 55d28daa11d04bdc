"""Invoices drafted over charges and issued: numbered without gaps, taxed by rate, in the books."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import transaction

from billclock.billing import engine, invoice_lines, invoice_posting, notice_kinds, parties, pricing
from billclock.billing.charges import Charge
from billclock.billing.clients import Account
from billclock.billing.documents.paper import Kind
from billclock.billing.errors import DocumentError
from billclock.billing.invoice_lines import Line
from billclock.billing.invoices import Invoice, InvoiceLine, draw_many, lock
from billclock.billing.notifications import Telling, notify_many
from billclock.billing.numbering import NumberTemplate
from billclock.billing.provider import Company, TaxRate


@dataclass(frozen=True, slots=True)
class Draft:
    """An invoice to be written: over which lines, under which key. `credits`: what it takes back.

    `originals` are then the lines that are taken back, in the order of `lines`, whose figures
    stand as they are. `gross`: the lines' whole sums stand, whatever the company's price lists are.
    """

    account: Account
    company: Company
    key: str
    lines: Sequence[Line]
    kind: Invoice.Kind = Invoice.Kind.INVOICE
    note: str = ""
    credits: Invoice | None = None
    originals: Sequence[InvoiceLine] = ()
    gross: bool = False


@transaction.atomic
def draft(
    account: Account, company: Company, charges: Iterable[Charge], *, key: str, note: str = ""
) -> Invoice:
    """Give the invoice of a key, a draft over charges if there is none.

    Raises DocumentError where a charge is of another account or company, was taken back, costs
    nothing or stands on an invoice already.
    """
    invoice_posting.lock([account.pk])
    known = Invoice.objects.filter(key=key).first()
    if known:
        return known
    wanted = sorted(charge.pk for charge in charges)
    lines = _lines(account, company, wanted)
    if len(lines) < len(wanted) or not wanted:
        missing = sorted(set(wanted) - {line.charge for line in lines})
        told = f"charges {', '.join(map(str, missing))} cannot stand on it" if missing else "empty"
        raise DocumentError(
            Kind.INVOICE, "", told,
            f"take charges of {account.number} by {company.code} that are on no invoice, cost"
            " something and were not taken back",
        )  # fmt: skip
    return write([Draft(account, company, key, lines, note=note)])[0]


@transaction.atomic
def request_payment(
    account: Account,
    lines: Sequence[Line],
    *,
    key: str,
    note: str = "",
    on: date | None = None,
    gross: bool = False,
) -> Invoice:
    """Give the request to pay of a key, made and issued if there is none: it moves no money.

    With `gross` the lines' sums with their tax are what is asked for, to the last minor unit.
    """
    invoice_posting.lock([account.pk])
    known = Invoice.objects.filter(key=key).first()
    if known:
        return known
    made = Draft(
        account, account.company, key, lines, kind=Invoice.Kind.REQUEST, note=note, gross=gross
    )
    return issue(write([made])[0], on or account.provider.today())


def line_by_hand(account: Account, text: str, whole_minor: int, on: date) -> Line:
    """Give a line of a sum that contains the tax an account pays on a date, as charges have it."""
    rate = None
    if not account.reverse_charge:
        rate = TaxRate.objects.valid(on).filter(area=account.tax_area).first()
    if rate is None:
        return Line(text, whole_minor)
    figures = pricing.amount(whole_minor, 0, rate.ppm, gross=True)
    return Line(text, figures.net_minor, figures.tax_minor, rate.ppm, rate.area)


def issue(invoice: Invoice, on: date) -> Invoice:
    """Issue a draft; as `issue_many`."""
    return issue_many([invoice], on)[0]


@transaction.atomic
def issue_many(invoices: Sequence[Invoice], on: date) -> list[Invoice]:
    """Number drafts in their order, freeze who sells and buys, post what rounding their tax takes.

    Tells the clients. Raises DocumentError, and then issued none, for one that is no draft or
    holds a charge that was taken back.
    """
    if not invoices:
        return []
    invoice_posting.lock({invoice.account_id for invoice in invoices})
    drafts = _drafts([invoice.pk for invoice in invoices])
    by_company: defaultdict[tuple[int, str], list[Invoice]] = defaultdict(list)
    for made in drafts:
        by_company[made.company_id, made.kind].append(made)
    for key in sorted(by_company):
        _number(by_company[key], on)
    invoice_posting.post(drafts, on)
    invoice_posting.cover(drafts, on)
    _freeze(drafts, on)
    tellings = (
        Telling(made.account_id, notice_kinds.INVOICE.name, period=on, subject=made.pk)
        for made in drafts
    )
    notify_many(tellings, on=on)
    return drafts


@transaction.atomic
def cancel(invoice: Invoice) -> Invoice:
    """Cancel a draft, whose charges and key are free again, or a request to pay.

    Raises DocumentError for another document: an issued one is taken back by a credit note.
    """
    found = lock(invoice)
    asked = found.kind == Invoice.Kind.REQUEST and found.state == Invoice.State.ISSUED
    if found.state != Invoice.State.DRAFT and not asked:
        raise DocumentError(
            found.kind, found.number, f"it is {found.state}", "write a credit note instead"
        )
    if not asked:
        found.lines.update(charge=None, takes_back=None)
        found.key = f"{found.key[:130]} cancelled {found.pk}"
    found.state = Invoice.State.CANCELLED
    found.save(update_fields=["state", "key"])
    return found


@transaction.atomic
def write(drafts: Sequence[Draft]) -> list[Invoice]:
    """Write drafts with their lines and taxes; a charge on another invoice is an IntegrityError."""
    taxed = [_taxed(made) for made in drafts]
    invoices = Invoice.objects.bulk_create(invoice for invoice, _ in taxed)
    for invoice, lines in taxed:
        for line in lines:
            line.invoice = invoice
    InvoiceLine.objects.bulk_create(line for _, lines in taxed for line in lines)
    return invoices


def template(company: Company, kind: str) -> NumberTemplate:
    """Give the template of a kind's numbers; other kinds than invoices are told apart by a mark."""
    text = company.number_template
    if kind != Invoice.Kind.INVOICE and "{kind" not in text:
        text = f"{{kind}}-{text}"
    return NumberTemplate.parse(text)


def _lines(account: Account, company: Company, charges: Collection[int]) -> list[Line]:
    """Read those of some charges that may stand on an invoice of an account by a company."""
    free = Charge.objects.filter(
        pk__in=charges, account=account, reversal=None, invoice_line=None
    ).values_list("pk", flat=True)
    keys = ", ".join(map(str, free)) or "0"
    found = invoice_lines.charged(
        f"c.id IN ({keys}) AND c.net_minor + c.tax_minor > 0",
        {},
        {account.pk: parties.language(account)},
    )
    return [one.line for one in found if one.company == company.pk]


def _taxed(made: Draft) -> tuple[Invoice, list[InvoiceLine]]:
    """Give a draft's rows; what is taken back keeps the figures it had."""
    company = made.company
    figures = [(line.net_minor, line.tax_minor) for line in made.originals]
    if not figures:
        gross, by_line = made.gross or company.prices_gross, company.tax_by_line
        figures = invoice_lines.figures(made.lines, gross=gross, by_line=by_line)
    tax = sum(tax for _, tax in figures)
    posted = tax if made.kind == Invoice.Kind.REQUEST else sum(it.tax_minor for it in made.lines)
    invoice = Invoice(
        kind=made.kind, key=made.key, company=company, account=made.account,
        payer_id=made.account.payer_id, currency=made.account.currency_id, credits=made.credits,
        net_minor=sum(net for net, _ in figures), tax_minor=tax,
        rounding_minor=tax - posted, note=made.note,
    )  # fmt: skip
    originals: Sequence[InvoiceLine | None] = made.originals or [None] * len(figures)
    rows = [
        _row(place, line, figure, original)
        for place, (line, figure, original) in enumerate(
            zip(made.lines, figures, originals, strict=True), 1
        )
    ]
    return invoice, rows


def _row(
    place: int, line: Line, figures: tuple[int, int], original: InvoiceLine | None
) -> InvoiceLine:
    return InvoiceLine(
        charge_id=None if original else line.charge, takes_back=original, position=place,
        text=line.text, period_start=line.start, period_end=line.end, quantity=line.quantity,
        net_minor=figures[0], tax_ppm=line.tax_ppm, tax_area=line.tax_area, tax_minor=figures[1],
    )  # fmt: skip


def _drafts(keys: Sequence[int]) -> list[Invoice]:
    """Lock drafts and give them in the order of their keys."""
    related = (
        "account__client",
        "account__provider",
        "account__payer",
        "account__funds",
        "account__company",
        "company",
    )
    found = Invoice.objects.select_for_update(of=("self",)).select_related(*related)
    drafts = list(
        found.filter(pk__in=keys).prefetch_related("account__client__contacts").order_by("pk")
    )
    for made in drafts:
        if made.state != Invoice.State.DRAFT:
            raise DocumentError(made.kind, made.number, f"it is {made.state}, and no draft")
    gone = InvoiceLine.objects.filter(invoice__in=keys, charge__reversal__isnull=False).first()
    if gone:
        raise DocumentError(
            Kind.INVOICE, "", f"its charge {gone.charge_id} was taken back",
            "cancel the draft and make it anew",
        )  # fmt: skip
    return drafts


def _number(drafts: Sequence[Invoice], on: date) -> None:
    """Draw the numbers of one company's drafts of one kind."""
    company, kind = drafts[0].company, drafts[0].kind
    form = template(company, kind)
    sequence = draw_many(company, kind, form.sequence_year(on), len(drafts))
    for place, made in enumerate(drafts, sequence.last - len(drafts) + 1):
        made.sequence, made.place = sequence, place
        made.number = form.format(place, on, Kind(kind))


def _freeze(drafts: Sequence[Invoice], on: date) -> None:
    """Write what an issued document says from now on."""
    rates = list(TaxRate.objects.valid(on))
    for made in drafts:
        made.state = Invoice.State.ISSUED
        made.issued_on, made.due_on = on, _due_on(made, on)
        made.seller = dict(parties.seller(made.company, rates))
        made.buyer = dict(parties.buyer(made.account, made.company))
    engine.execute_many(_ISSUE, [_issued(made) for made in drafts])


_ISSUE = """UPDATE billing_invoice
    SET state = %(state)s, number = %(number)s, sequence_id = %(sequence)s, place = %(place)s,
        issued_on = %(issued_on)s, due_on = %(due_on)s, paid_on = %(paid_on)s,
        covered_minor = %(covered)s, seller = %(seller)s, buyer = %(buyer)s
    WHERE id = %(id)s"""


def _issued(made: Invoice) -> dict[str, object]:
    """Give what issuing a draft changes of its row."""
    days = {name: getattr(made, name) for name in ("issued_on", "due_on", "paid_on")}
    return {
        "id": made.pk, "state": str(made.state), "number": made.number, "place": made.place,
        "sequence": made.sequence_id, "covered": made.covered_minor,
        "seller": json.dumps(made.seller), "buyer": json.dumps(made.buyer),
        **{name: day.isoformat() if day else None for name, day in days.items()},
    }  # fmt: skip


def _due_on(made: Invoice, on: date) -> date | None:
    """Give by when an invoice is to be paid: a credit limit has its own days."""
    if made.kind == Invoice.Kind.CREDIT_NOTE:
        return None
    credit = made.account.kind == Account.Kind.CREDIT
    days = made.account.credit_due_days if credit else made.company.due_days
    return on + timedelta(days=days)
