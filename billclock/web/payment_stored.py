"""Stored methods: clients' cards and mandates, as their gateways keep them; who is declined."""

from __future__ import annotations

from django.db.models import OuterRef, QuerySet, Subquery, Sum
from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from billclock.billing import storing
from billclock.billing.clients import Account
from billclock.billing.payments import Payment, StoredMethod
from billclock.web import why
from billclock.web.kit.columns import Day, Link, Moment, Money, Number, State, Text
from billclock.web.kit.filters import Choice
from billclock.web.kit.leading import way_to
from billclock.web.kit.panels import Related
from billclock.web.kit.section import Act, Given, Section
from billclock.web.payment_words import STATES, STORED, declined, failed
from billclock.web.payments import AMOUNT, METHOD, methods


def _rows() -> QuerySet[StoredMethod]:
    paid = Payment.objects.filter(account__client=OuterRef("client"), stored=OuterRef("pk"))
    declined = paid.order_by().values("stored").annotate(sum=Sum("tries")).values("sum")
    found = StoredMethod.objects.select_related("client", "method__provider")
    return found.annotate(declined=Subquery(declined))


def _forget(row: StoredMethod, _given: Given) -> None:
    storing.forget(row)


def _ask(row: StoredMethod, _given: Given) -> str:
    state = storing.resolve(row)
    if state is None:
        return _now("Its setting up was never finished: it is gone.")
    return _now("The gateway says: %s") % STORED[state].word


def _kept(row: StoredMethod) -> Promise | str:
    return "" if row.state != StoredMethod.State.DISABLED else _("It is forgotten already.")


def _unfinished(row: StoredMethod) -> Promise | str:
    return "" if row.state in storing.UNFINISHED else _("It is not being set up.")


def _named(row: StoredMethod) -> str:
    return row.masked or row.setup_key


def _payments(row: StoredMethod) -> QuerySet[Payment]:
    found = Payment.objects.filter(account__client=row.client_id, stored=row)
    return found.select_related("account").order_by("-pk")


def _accounts(row: StoredMethod) -> QuerySet[Account]:
    return row.client.accounts.filter(autopay=row).order_by("number")


STATE = State("state", _("State"), marks=STORED, below=failed)
CLIENT = Link("client", _("Client"), to="clients", named="name", below="client.number")
PAID = (
    Text("number", _("Payment")), AMOUNT, State("state", _("State"), marks=STATES, below=declined),
    Number("tries", _("Declined tries")), Day("created_on", _("Asked for")),
)  # fmt: skip

STORED_METHODS = Section(
    name="stored-methods",
    title=_("Stored methods"),
    one=_("stored method"),
    rows=_rows,
    named=_named,
    columns=(
        Text("masked", _("Card or mandate"), of=_named), CLIENT, STATE, METHOD,
        Day("expires_on", _("Expires")), Number("declined", _("Declined tries")),
        Moment("changed_at", _("Since"), less=True),
    ),
    search=("masked", "client__name", "client__number"),
    filters=(
        Choice("state", _("State"),
               choices={str(int(key)): mark.word for key, mark in STORED.items()}),
        Choice("method", _("Method"), choices=methods),
    ),
    acts=(
        Act("ask", _("Ask the gateway"), _ask, icon="repeat", allowed=_unfinished),
        Act("forget", _("Forget"), _forget, icon="trash-2", danger=True, allowed=_kept,
            confirm=_("The gateway forgets it too, and no automatic payment is made by it.")),
    ),
    panels=(
        Related("accounts", _("Accounts topped up from it"), rows=_accounts, rare=True, columns=(
            Text("number", _("Number")),
            Money("most", _("Most in a month"), of="autopay_most_minor"),
        ), link=lambda row: way_to("client-accounts", row.pk)),
        Related("payments", _("Payments"), rows=_payments, columns=PAID,
                link=lambda row: way_to("payments", row.pk),
                empty=_("Nothing was paid by it yet.")),
        why.OF_STORED,
    ),
    empty=_("Clients store them when they pay; nobody else does."),
)  # fmt: skip
