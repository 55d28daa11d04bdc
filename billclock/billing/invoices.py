"""Invoices: documents over charges, their lines, and the sequences their numbers come from."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce

from billclock.billing.charges import Charge
from billclock.billing.clients import Account, Payer
from billclock.billing.ledger import LedgerAccount
from billclock.billing.provider import Company


class NumberSequence(models.Model):
    """The last number drawn of a company's kind of document in a year (0: numbering goes on)."""

    company = models.ForeignKey(Company, models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(max_length=12)
    year = models.PositiveSmallIntegerField(default=0)
    last = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("company", "kind", "year"), name="sequence_once"),
        )


class InvoiceQuerySet(models.QuerySet["Invoice"]):
    """Questions about documents."""

    def waiting(self) -> InvoiceQuerySet:
        """Keep what waits for money, sealed or not: who does not pay owes a closed one too."""
        issued = (Invoice.State.ISSUED, Invoice.State.CLOSED)
        return self.filter(state__in=issued, paid_on=None).exclude(kind=Invoice.Kind.CREDIT_NOTE)

    def with_credited(self) -> models.QuerySet[Any]:
        """Annotate `credited`, what credit notes took back, and `left`, what was open beside it."""
        notes = Invoice.objects.filter(
            account=models.OuterRef("account"), credits=models.OuterRef("pk")
        )
        sums = (
            notes.order_by()
            .values("credits")
            .annotate(sum=models.Sum(F("net_minor") + F("tax_minor")))
            .values("sum")
        )
        credited = Coalesce(models.Subquery(sums), 0, output_field=models.BigIntegerField())
        left = F("net_minor") + F("tax_minor") - F("covered_minor") - F("credited")
        return self.annotate(credited=credited).annotate(left=left)

    def open(self) -> models.QuerySet[Any]:
        """Keep what waits for money and has some `left` to be paid."""
        return self.waiting().with_credited().filter(left__gt=0)


class Invoice(models.Model):
    """A document over charges, numbered when it is issued; from then on its figures stay.

    `key` names what it is about, so that there is one: account, currency and month; a set of
    periods; what a credit note takes back. Amounts of a credit note are positive too.
    `rounding_minor` is what its tax differs by from what its charges posted; `covered_minor` what
    the account's money had paid of it when it was issued. A closed one has the `digest` of its
    data, which is its seal, and that of the PDF that is kept; note and day stay then too.
    The database refuses any other change (insert_only).
    """

    class Kind(models.TextChoices):
        INVOICE = "invoice"
        REQUEST = "request"
        CREDIT_NOTE = "credit note"

    class State(models.TextChoices):
        DRAFT = "draft"
        ISSUED = "issued"
        CLOSED = "closed"
        CANCELLED = "cancelled"

    kind = models.CharField(max_length=12, choices=Kind.choices, default=Kind.INVOICE)
    key = models.CharField(max_length=160, unique=True)
    company = models.ForeignKey(Company, models.PROTECT, related_name="invoices", db_index=False)
    account = models.ForeignKey(Account, models.PROTECT, related_name="invoices")
    payer = models.ForeignKey(Payer, models.PROTECT, null=True, related_name="+", db_index=False)
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT)
    number = models.CharField(max_length=60, blank=True)
    sequence = models.ForeignKey(
        NumberSequence, models.PROTECT, null=True, related_name="+", db_index=False
    )
    place = models.PositiveBigIntegerField(null=True)
    issued_on = models.DateField(null=True)
    due_on = models.DateField(null=True)
    paid_on = models.DateField(null=True)
    signed_on = models.DateField(null=True)
    closed_on = models.DateField(null=True)
    credits = models.ForeignKey(
        "self", models.PROTECT, null=True, related_name="credit_notes", db_index=False
    )
    net_minor = models.BigIntegerField(default=0)
    tax_minor = models.BigIntegerField(default=0)
    rounding_minor = models.BigIntegerField(default=0)
    covered_minor = models.BigIntegerField(default=0)
    note = models.TextField(blank=True)
    seller = models.JSONField(default=dict)
    buyer = models.JSONField(default=dict)
    digest = models.CharField(max_length=64, blank=True)
    pdf_digest = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("company", "kind", "number"),
                condition=~Q(number=""),
                name="invoice_number_once",
            ),
            models.UniqueConstraint(fields=("sequence", "place"), name="invoice_place_once"),
        )
        indexes = (
            models.Index(
                fields=("company", "issued_on"),
                name="invoice_open",
                condition=Q(state="issued"),
            ),
            models.Index(fields=("issued_on", "id"), name="invoice_by_day"),
            models.Index(fields=("number",), name="invoice_by_number"),
            models.Index(fields=("kind", "id"), name="invoice_by_kind"),
            models.Index(fields=("id",), name="invoice_draft", condition=Q(state="draft")),
            models.Index(fields=("id",), name="invoice_unpaid", condition=Q(paid_on=None)),
        )

    objects: ClassVar[InvoiceQuerySet] = InvoiceQuerySet.as_manager()  # type: ignore[assignment]

    @property
    def total_minor(self) -> int:
        """Give what is to be paid: net and tax."""
        return self.net_minor + self.tax_minor

    @property
    def open_minor(self) -> int:
        """Give what was left to be paid when it was issued."""
        return self.total_minor - self.covered_minor


class InvoiceLine(models.Model):
    """One line: a charge, or words and figures of its own. A charge stands on one invoice only.

    A credit note's line `takes_back` that of an invoice, once, with its figures.
    """

    invoice = models.ForeignKey(Invoice, models.CASCADE, related_name="lines")
    charge = models.OneToOneField(Charge, models.PROTECT, null=True, related_name="invoice_line")
    takes_back = models.OneToOneField(
        "self", models.PROTECT, null=True, related_name="taken_back_by"
    )
    position = models.PositiveIntegerField()
    text = models.CharField(max_length=300)
    period_start = models.DateField(null=True)
    period_end = models.DateField(null=True)
    quantity = models.BigIntegerField(default=1)
    net_minor = models.BigIntegerField()
    tax_ppm = models.PositiveIntegerField(default=0)
    tax_area = models.CharField(max_length=20, blank=True)
    tax_minor = models.BigIntegerField(default=0)


def lock(invoice: Invoice) -> Invoice:
    """Lock an invoice's account and the invoice, and give it as it is now: the start of an act."""
    LedgerAccount.objects.select_for_update().get(pk=invoice.account_id)
    locked = Invoice.objects.select_for_update(of=("self",))
    return locked.select_related("account__provider", "company").get(pk=invoice.pk)


def draw(company: Company, kind: str, year: int = 0) -> int:
    """Draw the next number of a company's kind of document, inside the issuing transaction.

    Undone with it, so that numbers have no gaps; who draws meanwhile waits.
    """
    return draw_many(company, kind, year, 1).last


def draw_many(company: Company, kind: str, year: int, count: int) -> NumberSequence:
    """Draw `count` numbers, as `draw` one; give their sequence: its `last` is the last of them."""
    NumberSequence.objects.get_or_create(company=company, kind=kind, year=year)
    row = NumberSequence.objects.select_for_update().get(company=company, kind=kind, year=year)
    row.last += count
    row.save(update_fields=["last"])
    return row
