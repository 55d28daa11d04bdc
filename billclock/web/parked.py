"""Parked accounts: what billing could not be done with, why, and the way back."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from billclock.billing import progress
from billclock.billing.progress import Parked
from billclock.web import kept
from billclock.web.billing_runs import BILLING_RUNS
from billclock.web.kit.columns import Link, Moment, Text
from billclock.web.kit.filters import Days
from billclock.web.kit.section import Act, Given, Section


def _rows() -> QuerySet[Parked]:
    return Parked.objects.select_related("account__client", "run__provider")


def _release(row: Parked, _given: Given) -> str:
    progress.release(row)
    return _now("Account %s is billed again from the next run on.") % row.account.number


PARKED = Section(
    name="parked",
    title=_("Parked accounts"),
    one=_("parked account"),
    rows=_rows,
    named="account.number",
    columns=(
        Text("account", _("Account"), of="account.number"),
        Text("client", _("Client"), of="account.client.name"),
        Text("reason", _("Why"), of=kept.of("reason")),
        Moment("since", _("Parked"), ago=True, sort="since"),
        Link("run", _("By the run"), to="billing-runs", named="named", less=True),
    ),
    search=("account__number", "account__client__name"),
    filters=(Days("since", _("Parked")),),
    sort="-since",
    acts=(
        Act("release", _("Release"), _release, icon="undo-2",
            confirm=_("Billing decides on these accounts again at its next run, for all dates "
                      "since. What still fails is parked once more.")),
    ),
    intro=_("Billing leaves these accounts alone, so that one of them holds up no other. Mend what "
            "the reason names, often a price, a tax or a figure too large; then release them."),
    empty=_("No account is parked: billing got through with all of them."),
    within=BILLING_RUNS,
)  # fmt: skip
