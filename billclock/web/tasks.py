"""Staff tasks: what only people can do, for which service, since when, done by whom."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from billclock.billing import banking, operations, tasks
from billclock.billing.errors import BillingError
from billclock.billing.provider import Department
from billclock.billing.services import Operation, Task
from billclock.web import kept
from billclock.web import service_words as words
from billclock.web.kit.columns import Link, Moment, State, Text
from billclock.web.kit.fields import Form
from billclock.web.kit.filters import Choice
from billclock.web.kit.leading import way_to
from billclock.web.kit.panels import Panel
from billclock.web.kit.section import Act, Given, Section
from billclock.web.visible import visible

OPEN, DONE, ALL = "open", "done", "all"
STATES = {
    OPEN: pgettext_lazy("task", "open"),
    DONE: pgettext_lazy("task", "done"),
    ALL: pgettext_lazy("task", "open and done"),
}
MOST_FACTS = 50


class OpenFirst(Choice):
    """Open ones or done ones: open ones where the address says nothing."""

    def read(self, given: Mapping[str, str]) -> dict[str, str]:
        """Give what is asked for."""
        value = given.get(self.name, OPEN) or ALL
        return {self.name: value if value in STATES else OPEN}


class ByHandForm(Form):
    """Facts of the service that came of it."""

    parameters = forms.CharField(
        label=_("What is to be kept with the service"),
        widget=forms.Textarea(attrs={"rows": 5, "spellcheck": "false", "autocomplete": "off"}),
        required=False,
        max_length=10_000,
        help_text=_("One fact a line, such as ip = 192.0.2.10. No passwords: they stay readable."),
    )

    def clean_parameters(self) -> dict[str, str]:
        """Read the lines as names and values."""
        facts = {}
        for line in filter(None, map(str.strip, self.cleaned_data["parameters"].splitlines())):
            name, sign, value = line.partition("=")
            if not sign or not name.strip():
                raise forms.ValidationError(
                    _("Write each line as name = value: “%s”") % visible(line)
                )
            facts[name.strip()] = value.strip()
        if len(facts) > MOST_FACTS:
            raise forms.ValidationError(_("At most %d facts.") % MOST_FACTS)
        return facts


def _rows() -> QuerySet[Task]:
    return Task.objects.select_related("service", "account__client", "department")


def _kept(rows: QuerySet[Any], value: str) -> QuerySet[Any]:
    return rows if value == ALL else rows.filter(done_at__isnull=value == OPEN)


def _kind(row: Task) -> str:
    return str(words.TASK_KINDS.get(row.kind, row.kind))


def _departments() -> dict[str, str]:
    found = Department.objects.select_related("provider").order_by("provider__code", "name")
    return {str(one.pk): f"{one.name} · {one.provider.code}" for one in found}


def _operation(row: Task) -> Operation:
    found = tasks.operation_of(row)
    if found is None:
        raise BillingError(_now("This task is about no operation."))
    return found


def _by_hand(row: Task, given: Given) -> None:
    parameters = given.values["parameters"]
    operations.done_by_hand(_operation(row), by=given.by.email, parameters=parameters)


def _again(row: Task, _given: Given) -> None:
    operations.again(_operation(row))


def _done(row: Task, given: Given) -> None:
    tasks.finish(row, by=given.by.email)


def _of_operation(row: Task) -> Promise | str:
    if row.kind != operations.TASK:
        return _("This task is about no operation.")
    return _("It is done.") if row.done_at else ""


def _plain(row: Task) -> Promise | str:
    if row.kind == operations.TASK:
        return _("Its service waits: say that it was done by hand.")
    return _("It is done.") if row.done_at else ""


def _what(row: Task, _request: HttpRequest) -> Mapping[str, Any]:
    """Give what a person has to know: the text, the operation, what is known of the service."""
    operation, entry = tasks.operation_of(row), banking.entry_of(row)
    facts = row.service.parameters if row.service else {}
    shown: dict[str, Any] = {
        "text": [kept.read(line) for line in row.text.splitlines()],
        "facts": [(visible(str(k)), visible(str(v))) for k, v in list(facts.items())[:MOST_FACTS]],
    }
    if entry is not None:
        shown["entry"] = way_to("bank-entries", entry.pk)
    if operation is not None:
        shown |= {
            "action": words.ACTIONS[operation.action],
            "module": operation.module.code if operation.module else "",
            "product": visible(operation.service.product.name),
            "tries": operation.attempts,
            "mark": words.OPERATIONS[Operation.State(operation.state)],
        }
    return shown


TASKS = Section(
    name="tasks",
    title=_("Staff tasks"),
    one=_("task"),
    rows=_rows,
    named=kept.of("subject"),
    columns=(
        Text("subject", _("What"), of=kept.of("subject"), below=_kind),
        State("done", _("State"), of=lambda row: row.done_at is not None, marks=words.TASKS),
        Link("service", _("Service"), to="services", named="number", below="service.name"),
        Link("account", _("Account"), to="client-accounts", named="number",
             below="account.client.name"),
        Text("department", _("Department"), of="department.name"),
        Moment("created_at", _("Since"), ago=True),
        Moment("done_at", _("Done at"), below="done_by", less=True),
    ),
    search=("subject", "text"),
    filters=(
        OpenFirst("state", _("State"), choices=STATES, kept=_kept),
        Choice("department", _("Department"), choices=_departments),
    ),
    acts=(
        Act("by-hand", _("Done by hand"), _by_hand, icon="check", form=ByHandForm, bulk=False,
            allowed=_of_operation,
            confirm=_("The module is not asked any more: its work is yours, and it is done.")),
        Act("again", _("Try again"), _again, icon="repeat", allowed=_of_operation,
            confirm=_("The module tries it at the next run of processing.")),
        Act("done", _("Done"), _done, icon="check", allowed=_plain),
    ),
    panels=(Panel("what", _("What to do"), template="services/task.html", context=_what),),
    css="css/services.css",
    empty=_("Nothing waits for people."),
)  # fmt: skip
