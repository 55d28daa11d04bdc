"""Services: what clients have, until when it is paid, why it is stopped, what can be done to it."""

from datetime import date
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from billclock.billing import orders, stopping
from billclock.billing.catalog import Product
from billclock.billing.charges import Charge
from billclock.billing.errors import BillingError
from billclock.billing.renewals import RENEWABLE
from billclock.billing.services import Reason, Service, ServiceAddOn, Verdict
from billclock.web import service_columns as shown
from billclock.web import service_words as words
from billclock.web.kit.fields import Day, Form
from billclock.web.kit.filters import Choice, Days
from billclock.web.kit.panels import Panel, Related
from billclock.web.kit.section import Act, Given, Section
from billclock.web.service_next import coming
from billclock.web.why import OF_SERVICE

PEOPLES = (Reason.STAFF, Reason.CLIENT, Reason.ABUSE)
"""Reasons for which people stop a service; billing finds the others."""


def _reason_choices(reasons: Any) -> list[tuple[int, Promise]]:
    return [(int(reason), words.REASONS[reason]) for reason in reasons]


class SuspendForm(Form):
    """Why a service is stopped."""

    reason = forms.TypedChoiceField(
        label=_("Reason"), coerce=int, choices=_reason_choices(PEOPLES), initial=int(Reason.STAFF)
    )
    why = forms.CharField(
        label=_("Said to the client"),
        max_length=200,
        required=False,
        help_text=_("Stands in the letter that tells of it; without it the reason alone does."),
    )


class LiftForm(Form):
    """Which reason is taken away."""

    reason = forms.TypedChoiceField(
        label=_("Reason"), coerce=int,
        choices=_reason_choices(sorted(Reason, key=lambda reason: reason not in PEOPLES)),
        help_text=_("Where others are left, the service goes on standing. What stood for money is "
                    "billed anew at once, if there is money."),
    )  # fmt: skip
    why = forms.CharField(label=_("Why"), max_length=200)


class HoldForm(Form):
    """Until when a service is left alone."""

    until = Day(
        label=_("Until"),
        required=False,
        help_text=_("Before that day nothing renews or stops it. Empty: the hold ends now."),
    )


class SwitchForm(Form):
    """Whether a service is renewed by itself."""

    switch = forms.ChoiceField(
        label=_("From now on"),
        choices=(("on", _("it is renewed by itself")), ("off", _("it is not renewed by itself"))),
        widget=forms.RadioSelect,
    )
    why = forms.CharField(label=_("Why"), max_length=200, required=False)


def _today(row: Service) -> date:
    return row.account.provider.today()


def _suspend(row: Service, given: Given) -> None:
    reason, said = Reason(given.values["reason"]), given.values["why"]
    stopping.suspend(row, reason, on=_today(row), by=given.by.email, why=said)


def _lift(row: Service, given: Given) -> str | None:
    reason = Reason(given.values["reason"])
    said = f"{given.by.email}: {given.values['why']}"
    if stopping.lift(row, reason, on=_today(row), why=said):
        return None
    return _now("%s was not stopped for this.") % row.number


def _hold(row: Service, given: Given) -> None:
    stopping.hold(row, given.values["until"], on=_today(row))


def _switch(row: Service, given: Given) -> str | None:
    on = given.values["switch"] == "on"
    if stopping.set_auto_renew(row, on=on, by=given.by.email, why=given.values["why"]):
        return None
    return _now("%s was so already.") % row.number


def _renew(row: Service, _given: Given) -> None:
    orders.renew(row, on=_today(row), until=row.paid_until)


def _alone(_row: Service | None, _given: Given) -> None:
    raise BillingError(_now("This is asked on a page of its own, for each service alone."))


def _open(row: Service) -> Promise | str:
    return "" if row.status in RENEWABLE else _("It is not open.")


def _stands(row: Service) -> Promise | str:
    return "" if row.stopped_for else _("It is not stopped.")


def _products() -> dict[str, str]:
    found = Product.objects.order_by("name").values_list("pk", "name")
    return {str(key): name for key, name in found}


def _charges(row: Service) -> QuerySet[Charge]:
    found = shown.addons(row.charges.select_related("reversal", "account"))
    return found.order_by("-period_start", "-pk")


def _verdicts(row: Service) -> QuerySet[Verdict]:
    return row.verdicts.select_related("service__account").order_by("-on", "-sequence")


def _addons(row: Service) -> QuerySet[ServiceAddOn]:
    return row.addons.select_related("addon").order_by("addon__name")


def _all_charges(row: Service) -> str:
    try:
        return f"{reverse('charges')}?q={row.number}"
    except NoReverseMatch:
        return ""


ACTS = (
    Act("order", _("Order a service"), _alone, icon="plus", whole=True, page="services_order"),
    Act("change", _("Change plan"), _alone, icon="pencil", bulk=False, allowed=_open,
        page="services_change"),
    Act("renew", _("Renew now"), _renew, icon="play", allowed=_open, page="services_renew",
        seen=lambda row: row.paid_until.isoformat(),
        confirm=_("Each one's next period is paid from its account at once. Renew one alone to "
                  "see what it costs.")),
    Act("suspend", _("Suspend"), _suspend, icon="pause", form=SuspendForm, allowed=_open),
    Act("lift", _("Lift"), _lift, icon="play", form=LiftForm, allowed=_stands),
    Act("hold", _("Hold"), _hold, icon="lock", form=HoldForm, allowed=_open),
    Act("renewal", _("Automatic renewal"), _switch, icon="repeat", form=SwitchForm, allowed=_open),
    Act("close", _("Close"), _alone, icon="power-off", danger=True, bulk=False, allowed=_open,
        page="services_close"),
)  # fmt: skip

SERVICES = Section(
    name="services",
    title=_("Services"),
    one=_("service"),
    rows=shown.services,
    named="number",
    number="number",
    columns=shown.LIST,
    search=shown.found_by,
    filters=(
        Choice("status", _("State"),
               choices={str(k.value): mark.word for k, mark in words.STATUS.items()}),
        Choice("reason", _("Stopped"), kept=shown.stopped_for,
               choices={str(k.value): word for k, word in words.REASONS.items()}),
        Choice("product", _("Product"), choices=_products),
        Choice("cycle", _("Billed"), kept=shown.billed,
               choices={str(k.value): word for k, word in words.CYCLES.items()}),
        Days("paid_until", _("Ends")),
    ),
    acts=ACTS,
    facts=shown.FACTS,
    panels=(
        OF_SERVICE,
        Related("tasks", _("Staff tasks"), columns=shown.TASK, rare=True,
                rows=lambda row: row.tasks.order_by("-pk"),
                link=lambda task: reverse("tasks_one", args=[task.pk])),
        Panel("next", _("Next renewal"), template="services/next.html", context=coming),
        Related("addons", _("Add-ons"), rows=_addons, columns=shown.ADDON, rare=True),
        Related("charges", _("Periods and charges"), rows=_charges, columns=shown.CHARGE,
                more=_all_charges),
        Related("suspensions", _("Suspensions"), columns=shown.SUSPENSION,
                rows=lambda row: row.suspensions.order_by("-pk"),
                empty=_("It was never stopped.")),
        Related("verdicts", _("Decisions of billing"), rows=_verdicts, columns=shown.VERDICT),
        Related("operations", _("Operations"), columns=shown.OPERATION,
                rows=lambda row: row.operations.order_by("-pk")),
        Related("switches", _("Switches of automatic renewal"), columns=shown.SWITCH,
                rows=lambda row: row.renewal_switches.order_by("-pk"), rare=True),
    ),
    css="css/services.css",
    empty=_("Order one for an account."),
)  # fmt: skip
