"""Accounts: what each has and on what terms, and on its page everything that came of it."""

from typing import Any

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from billclock.accounts.models import User
from billclock.billing import terms
from billclock.billing.clients import Account, Client
from billclock.billing.invoices import Invoice
from billclock.billing.payments import Payment
from billclock.billing.services import Service
from billclock.billing.terms import Terms
from billclock.web import (
    client_money,
    client_story,
    client_words,
    invoice_words,
    searched,
    service_columns,
    service_words,
    why,
)
from billclock.web.client_acts import ACTS
from billclock.web.client_forms import AccountForm
from billclock.web.kit.columns import Day, Link, Money, Number, State, Switch, Text
from billclock.web.kit.filters import Choice, Flag
from billclock.web.kit.leading import way_to
from billclock.web.kit.marks import Mark
from billclock.web.kit.panels import Panel, Related
from billclock.web.kit.query import held
from billclock.web.kit.section import Section, Values

PAYMENTS = {
    Payment.State.NEW: Mark("hourglass", "now", pgettext_lazy("payment", "new")),
    Payment.State.IN_PROGRESS: Mark("hourglass", "now", pgettext_lazy("payment", "on its way")),
    Payment.State.PLEDGED: Mark("hourglass", "now", pgettext_lazy("payment", "promised")),
    Payment.State.CREDITED: Mark("circle-check", "ok", pgettext_lazy("payment", "credited")),
    Payment.State.RETURNING: Mark("undo-2", "warn", pgettext_lazy("payment", "being given back")),
    Payment.State.RETURNED: Mark("undo-2", "off", pgettext_lazy("payment", "given back")),
    Payment.State.FRAUD: Mark("octagon-alert", "bad", pgettext_lazy("payment", "fraud")),
    Payment.State.CANCELLED: Mark("x", "off", pgettext_lazy("payment", "cancelled")),
}


def account_kind(row: Account) -> object:
    """Say how an account pays."""
    return client_words.ACCOUNT_KINDS[Account.Kind(row.kind)]


def _limit(row: Account) -> int | None:
    """Give how far below zero a purchase may go; None where there is no such limit."""
    return -row.funds.floor_minor if row.kind == Account.Kind.CREDIT else None


def _accounts() -> QuerySet[Account]:
    return Account.objects.select_related(
        "funds", "client", "provider", "company", "currency", "group", "payer", "autopay__method"
    )


def _found_by(word: str) -> Q:
    """Give the condition of a searched word: a part of a number, or of a client's name."""
    clients = searched.few(Client.objects.filter(held(("name",), word)))
    return held(("number",), word) | Q(client__in=clients)


def _terms(values: Values) -> Terms:
    names = ("credit_due_days", "group", "payer", "never_suspended", "autopay", "autopay_most")
    kept = {name: values[name] for name in names}
    return Terms(kind=Account.Kind(values["kind"]), limit=values["limit"] or 0, **kept)


def _create(values: Values, _by: User) -> Account:
    return terms.open_account(
        values["client"], values["company"], values["currency"], _terms(values),
        number=values["number"],
    )  # fmt: skip


def _change(row: Account, values: Values, _by: User) -> Account:
    return terms.change(row, _terms(values))


def _services(row: Any) -> QuerySet[Service]:
    return service_columns.services().of(row.pk).order_by("-paid_until", "-pk")


def _payments(row: Any) -> QuerySet[Payment]:
    return row.payments.select_related("method").order_by("-pk")  # type: ignore[no-any-return]


def _invoices(row: Any) -> QuerySet[Invoice]:
    return row.invoices.select_related("account__provider").order_by("-pk")  # type: ignore[no-any-return]


def _called(row: Account) -> str:
    return f"{row.number} · {row.client.name}"


def _tax(row: Account) -> object:
    return _("owed by the client, reverse charge") if row.reverse_charge else row.tax_area


BALANCE = Money("balance", _("Balance"), of="funds.balance_minor", signed=True)
KIND = Text("kind", _("Kind"), of=account_kind)
CLIENT = Link("client", _("Client"), to="clients", named="name")
GROUP = Link("group", _("Client group"), to="client-groups", named="name", less=True)
NEVER = Switch("never_suspended", _("Never suspended"), less=True)

ACCOUNTS = Section(
    name="client-accounts",
    title=_("Accounts"),
    one=_("client's account"),
    rows=_accounts,
    named=_called,
    number="number",
    columns=(
        Text("number", _("Account number"), sort="number"),
        CLIENT,
        KIND,
        BALANCE,
        Money("limit", _("Credit limit"), of=_limit),
        GROUP,
        Number("due", _("Days to pay"), of="credit_due_days", less=True),
        NEVER,
    ),
    facts=(
        CLIENT,
        Link("provider", _("Provider"), to="providers", named="name"),
        Link("company", _("Company"), to="companies", named="name"),
        GROUP,
        Link("payer", _("Payer"), to="payers", named="name"),
        Text("tax", _("Tax"), of=_tax),
        NEVER,
    ),
    search=_found_by,
    filters=(
        Choice("kind", _("Kind"),
               choices={str(k.value): w for k, w in client_words.ACCOUNT_KINDS.items()}),
        Flag("below", _("Below zero"), kept=lambda rows: rows.filter(funds__balance_minor__lt=0)),
    ),
    form=AccountForm,
    create=_create,
    change=_change,
    acts=ACTS,
    panels=(
        Panel("money", _("Balance"), template="clients/money.html",
              context=client_money.of_account),
        Related(
            "services", _("Services"), rows=_services, most=15,
            columns=(
                Text("service", _("Service"), of=lambda row: row.name or row.number,
                     below="product.name"),
                State("status", _("State"), marks=service_words.STATUS),
                Day("paid_until", _("Paid until")),
                service_columns.PRICE,
                Switch("auto_renew", _("Automatic renewal"), less=True),
            ),
            link=lambda service: way_to("services", service.pk),
            empty=_("None yet."),
        ),
        Related(
            "payments", _("Payments"), rows=_payments, most=5,
            columns=(
                Text("number", _("Number"), below="method.name"),
                State("state", _("State"), marks=PAYMENTS),
                Day("created_on", _("Asked for"), less=True),
                Day("credited_on", _("Credited")),
                Money("amount", _("Amount"), of="amount_minor", currency="method.currency_id"),
            ),
            link=lambda payment: way_to("payments", payment.pk),
            empty=_("None yet."),
        ),
        Related(
            "invoices", _("Invoices"), rows=_invoices, most=5,
            columns=(
                Text("number", _("Number"), of=invoice_words.number, below=invoice_words.kind),
                State("state", _("State"), of=invoice_words.state, marks=invoice_words.MARKS),
                Day("issued_on", _("Issued")),
                Day("due_on", _("Due"), less=True),
                Day("paid_on", _("Paid")),
                Money("total", _("Total"), of="total_minor", currency="currency"),
            ),
            link=lambda invoice: way_to("invoices", invoice.pk)
            or reverse("document", args=[invoice.pk]),
            empty=_("None yet."),
        ),
        why.OF_ACCOUNT,
        Panel("story", _("Everything, in order"), template="clients/story.html",
              context=client_story.shown),
    ),
    css="css/clients.css",
)  # fmt: skip
