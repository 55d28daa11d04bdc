"""Processing modules: which plugin makes services, with which settings, who does the rest."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from billclock.accounts.models import User
from billclock.billing import stocking
from billclock.billing.catalog import Module
from billclock.billing.processing import offered
from billclock.billing.provider import Department
from billclock.billing.usage import UsageRound
from billclock.web import plugin_words
from billclock.web.company import ACTIVE
from billclock.web.company_forms import CODE_HELP
from billclock.web.kit.columns import Code, Day, Link, Number, State, Text
from billclock.web.kit.figures import Chosen, UnitPrice
from billclock.web.kit.filters import Choice
from billclock.web.kit.marks import Mark
from billclock.web.kit.panels import Related
from billclock.web.kit.section import Section, Values
from billclock.web.plugin_settings import PluginForm

ROUNDS = {
    "done": Mark("circle-check", "ok", pgettext_lazy("usage", "asked")),
    "open": Mark("triangle-alert", "warn", pgettext_lazy("usage", "asked in part")),
    "cut off": Mark("circle-x", "bad", pgettext_lazy("usage", "cut off")),
}


class ModuleForm(PluginForm):
    """A module and the settings of its plugin."""

    kinds = offered.kinds
    fixed = ("plugin", "code")
    parts = ((_("What it is"), ("plugin", "code", "department", "balance_least_micro", "active")),)
    code = forms.SlugField(label=_("Code"), max_length=40, help_text=CODE_HELP)
    department = Chosen(
        Department.objects.select_related("provider").order_by("provider__name", "name"),
        named=lambda row: f"{row.provider.name}: {row.name}",
        label=_("Department"),
        required=False,
        help_text=_("Gets as tasks what the plugin leaves to people, and what it could not do."),
    )
    balance_least_micro = UnitPrice(
        label=_("Least balance at the supplier"), required=False,
        help_text=_("Below it somebody is told; for modules that say what is left."),
    )  # fmt: skip
    active = forms.BooleanField(label=_("Active"), required=False, initial=True)

    @classmethod
    def of(cls, row: Any) -> dict[str, Any]:
        """Fill it."""
        return {**super().of(row), "department": row.department_id}


def _facts(values: Values) -> dict[str, Any]:
    return {name: values[name] for name in ("code", "department", "balance_least_micro", "active")}


def _create(values: Values, _by: User) -> Module:
    return stocking.add_module(values["plugin"], values["settings"], **_facts(values))


def _change(row: Module, values: Values, _by: User) -> Module:
    return stocking.change_module(row, values["settings"], **_facts(values))


def _rows() -> QuerySet[Module]:
    return Module.objects.select_related("department")


def _kinds() -> dict[str, str]:
    return {name: plugin_words.kind(name) for name in offered.kinds()}


def _settings(row: Any) -> str:
    """Say a module's settings, but its secrets."""
    return plugin_words.settings(offered.kinds().get(row.plugin), row.settings)


def _ended(row: UsageRound) -> str:
    if row.error:
        return "cut off"
    return "done" if row.finished_at and not row.refused else "open"


def _fault(row: UsageRound) -> str:
    """Say what cut a round off, or the first of the readings that could not be."""
    return row.error or next(iter(row.refusals), "")


KIND = Text("plugin", _("Kind"), of=lambda row: plugin_words.kind(row.plugin))
DEPARTMENT = Link("department", _("Department"), to="departments", named="name")

MODULES = Section(
    name="modules",
    title=_("Processing modules"),
    one=_("processing module"),
    rows=_rows,
    named="code",
    columns=(
        Code("code", _("Code"), sort="code"),
        KIND,
        DEPARTMENT,
        State("active", _("State"), marks=ACTIVE),
    ),
    facts=(
        KIND,
        DEPARTMENT,
        Text("settings", _("Settings"), of=_settings),
    ),
    search=("code", "plugin"),
    filters=(
        Choice("plugin", _("Kind"), choices=_kinds),
    ),
    sort="code",
    form=ModuleForm,
    create=_create,
    change=_change,
    panels=(
        Related(
            "products", _("Products"), rows=lambda row: row.products.order_by("name", "pk"),
            columns=(Text("name", _("Name")), Code("code", _("Code"))),
            link=lambda row: reverse("products_one", args=[row.pk]),
            empty=_("No product is made by it."),
        ),
        Related(
            "use", _("Asked what is in use"), most=10,
            rows=lambda row: row.usage_rounds.select_related("provider").order_by("-pk"),
            columns=(
                Day("on", _("Date"), below="provider.name"),
                State("state", _("State"), of=_ended, marks=ROUNDS),
                Number("asked", _("Services")),
                Number("changed", _("Levels new")),
                Number("silent", _("Not told of"), less=True),
                Text("fault", _("What is wrong"), of=_fault),
            ),
            empty=_("Never yet. Daily billing asks modules that can tell, where anything is "
                    "measured."),
        ),
    ),
    intro=_("Who makes a service: a plugin on some machine, or people, by the kind manual."),
    empty=_("Without one a service is active at once; the kind manual writes tasks for people."),
)  # fmt: skip
