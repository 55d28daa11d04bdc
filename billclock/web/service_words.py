"""How services read: states, reasons, decisions, charges, operations, each in a word."""

from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, pgettext_lazy

from billclock.billing.catalog import Cycle
from billclock.billing.charges import ChargeKind
from billclock.billing.services import Operation, Outcome, Reason, Status
from billclock.web.kit.marks import Mark
from billclock.web.visible import visible

STATUS = {
    Status.ORDERED: Mark("hourglass", "now", pgettext_lazy("service", "ordered")),
    Status.ACTIVE: Mark("circle-check", "ok", pgettext_lazy("service", "active")),
    Status.STOPPED: Mark("pause", "bad", pgettext_lazy("service", "stopped")),
    Status.DELETED: Mark("power-off", "off", pgettext_lazy("service", "closed")),
    Status.IN_PROGRESS: Mark("wrench", "now", pgettext_lazy("service", "in progress")),
}
REASONS: dict[Reason, Promise] = {
    Reason.MONEY: _("no money"),
    Reason.ADDON: _("over its limit"),
    Reason.ABUSE: _("abuse"),
    Reason.STAFF: _("by staff"),
    Reason.CLIENT: _("at the client's wish"),
    Reason.EXPIRED: _("time over"),
}
CYCLES: dict[Cycle, Promise] = {
    Cycle.PERIODIC: _("from the order's day"),
    Cycle.CALENDAR: _("to the 1st of a month"),
    Cycle.DAILY: _("by the day"),
    Cycle.HOURLY: _("by the hour"),
}
CHARGES: dict[ChargeKind, Promise] = {
    ChargeKind.PERIOD: _("period"),
    ChargeKind.SETUP: _("once"),
    ChargeKind.ADDON: _("add-on"),
    ChargeKind.OVERAGE: _("use over what is included"),
    ChargeKind.DAILY: pgettext_lazy("charge", "day"),
    ChargeKind.HOURLY: pgettext_lazy("charge", "hours"),
    ChargeKind.PAUSE: _("not billed"),
}
OUTCOMES = {
    Outcome.RENEWED: Mark("circle-check", "ok", _("renewed")),
    Outcome.UNFUNDED: Mark("circle-x", "bad", _("no money")),
    Outcome.NO_AUTO_RENEWAL: Mark("power", "off", _("not renewed by itself")),
    Outcome.HELD: Mark("lock", "off", _("held")),
    Outcome.PARKED: Mark("octagon-alert", "warn", _("account parked")),
    Outcome.NOT_PRICED: Mark("triangle-alert", "warn", _("no price")),
    Outcome.PAYMENT_IN_FLIGHT: Mark("hourglass", "now", _("payment on its way")),
    Outcome.OVER_MOST: Mark("triangle-alert", "warn", _("over its limit")),
}
ACTIONS: dict[str, Promise] = {
    Operation.Action.OPEN: pgettext_lazy("operation", "open"),
    Operation.Action.SUSPEND: pgettext_lazy("operation", "suspend"),
    Operation.Action.RESUME: pgettext_lazy("operation", "resume"),
    Operation.Action.CLOSE: pgettext_lazy("operation", "close"),
    Operation.Action.CHANGE: pgettext_lazy("operation", "change"),
}
CAUSES: dict[str, Promise] = {
    "order": pgettext_lazy("cause", "it was ordered"),
    "closed": pgettext_lazy("cause", "it was closed"),
}
OPERATIONS = {
    Operation.State.QUEUED: Mark("hourglass", "now", pgettext_lazy("operation", "queued")),
    Operation.State.RUNNING: Mark("repeat", "now", pgettext_lazy("operation", "under way")),
    Operation.State.DONE: Mark("circle-check", "ok", pgettext_lazy("operation", "done")),
    Operation.State.GIVEN_UP: Mark("octagon-alert", "bad", pgettext_lazy("operation", "given up")),
    Operation.State.DROPPED: Mark("x", "off", pgettext_lazy("operation", "not needed")),
}
TASK_KINDS: dict[str, Promise] = {
    "operation": pgettext_lazy("task", "operation"),
    "bank": pgettext_lazy("task", "bank entry"),
    "payment": pgettext_lazy("task", "payment"),
    "notice": pgettext_lazy("task", "letter"),
    "tell the client": pgettext_lazy("task", "letter"),
}
ACTORS: dict[str, Promise] = {
    "client": pgettext_lazy("by", "the client"),
    "autosuspend": pgettext_lazy("by", "the job autosuspend"),
}
TASKS = {
    False: Mark("circle-dot", "now", pgettext_lazy("task", "open")),
    True: Mark("circle-check", "ok", pgettext_lazy("task", "done")),
}
FACTS: dict[str, tuple[str, Promise]] = {
    "charge": ("receipt-text", _("Charge")),
    "reversal": ("undo-2", _("Taken back")),
    "verdict": ("list-checks", _("Decision")),
    "notice": ("mail", _("Letter")),
    "suspension": ("pause", _("Suspension")),
    "operation": ("wrench", _("Operation")),
    "switch": ("repeat", _("Automatic renewal")),
    "service": ("pause", _("Service")),
    "payment": ("receipt-text", _("Payment")),
    "attempt": ("send", _("Payment")),
    "document": ("receipt-text", _("Document")),
    "event": ("download", _("What the gateway told")),
    "transfer": ("replace", pgettext_lazy("ledger", "Transfer")),
    "setup": ("key-round", _("Setting up")),
    "hand entry": ("pencil", _("Entered by hand")),
    "reading": ("list-checks", _("Reading")),
    "usage round": ("list-checks", _("Usage asked for")),
}


def reasons(bits: int) -> list[Reason]:
    """Give the reasons of a set."""
    return [reason for reason in Reason if bits & reason]


def reasons_said(bits: int) -> str:
    """Say a set of reasons: "no money, abuse"."""
    return ", ".join(str(REASONS[reason]) for reason in reasons(bits))


def actor(by: str) -> str:
    """Say who did something: a person by his address, a job, the client."""
    return str(ACTORS.get(by, visible(by)))


def period(months: int, cycle: int) -> str:
    """Say the period one pays by: "1 month", "a day", "an hour"."""
    if cycle == Cycle.HOURLY:
        return _now("an hour")
    if cycle == Cycle.DAILY:
        return _now("a month, by the day")
    return ngettext("%d month", "%d months", months) % months
