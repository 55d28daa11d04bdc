"""What of the books needs people: answers, accounts, letters, tasks, breaches, prices, forgery."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billclock.accounts.models import Role, User
from billclock.billing import reckonings, unsigned
from billclock.billing.notifications import CHANNEL
from billclock.billing.progress import JobRun, Parked
from billclock.billing.services import Task
from billclock.outbox.models import Message, State
from billclock.web.kit.leading import list_of, row_of
from billclock.web.kit.rights import reaches
from billclock.web.retold import retold
from billclock.web.times import Wall
from billclock.web.visible import visible

TOLD = 20  # breaches, runs or accounts of a problem that are named
LETTERS = 3  # reasons for which letters were given up


@dataclass(frozen=True)
class Trouble:
    """One problem of the books; `key` names it as long as it is the same, for putting it aside.

    `members` are named below it, `url` is where it is mended and `label` what the link says.
    """

    key: str
    at: datetime
    icon: str
    kind: str
    name: str
    what: str
    why: str = ""
    url: str = ""
    label: str = ""
    members: Sequence[tuple[str, str]] = ()
    more: int = 0

    table = ""


def troubles(user: User) -> list[Trouble]:
    """Find them all, the most pressing first: a fixed number of queries, none that counts much.

    Only who has every crontab open knows of the books.
    """
    if user.tables.split() or not reaches(user, Role.VIEWER):
        return []
    return [
        *_breaches(), *_asking(), *_parked(), *_not_priced(), *_tasks(), *_letters(),
        *_unsigned(),
    ]  # fmt: skip


def checked(user: User, wall: Wall) -> str:
    """Say when the books were checked and what came of it; "" for who may not know."""
    if user.tables.split():
        return ""
    last = reckonings.last("books")
    if last is None:
        return _("Books: not checked yet.")
    words = {"when": wall.within(last.at), "count": last.values["checked"]}
    if last.values["breaches"]:
        return _("Books checked %(when)s: something does not hold.") % words
    return _("Books checked %(when)s: clean, %(count)d invariants hold.") % words


def _breaches() -> Iterator[Trouble]:
    last = reckonings.last("books")
    found = last.values["breaches"] if last else []
    if last and found:
        count = len(found)
        yield Trouble(
            "books:breach", last.at, "octagon-alert", "bad", _("The books"),
            ngettext("%d thing does not hold", "%d things do not hold", count) % count,
            _("A check of every balance, period, charge and payment found it. Money may be wrong: "
              "look before anything is billed."),
            members=[(visible(one["what"]), visible(one["invariant"])) for one in found[:TOLD]],
            more=max(count - TOLD, 0),
        )  # fmt: skip


def _asking() -> Iterator[Trouble]:
    runs = JobRun.objects.asking().select_related("provider").order_by("-on", "job")
    for run in runs[:TOLD]:
        yield Trouble(
            f"books:asking:{run.pk}", run.finished_at or run.started_at, "hourglass", "bad",
            visible(run.named), _("waits for a person"), visible(retold(run.stopped_by)),
            row_of("billing-runs", run.pk), _("Look and answer"),
        )  # fmt: skip


def _parked() -> Iterator[Trouble]:
    rows = list(Parked.objects.select_related("account").order_by("-since")[: TOLD + 1])
    if rows:
        count = len(rows) if len(rows) <= TOLD else Parked.objects.count()
        yield Trouble(
            "books:parked", rows[0].since, "circle-stop", "bad",
            ngettext("%d account", "%d accounts", count) % count,
            ngettext("is parked", "are parked", count),
            _("Billing could not be done with them and leaves them alone until they are released."),
            list_of("parked"), _("See them"),
            members=[(visible(row.account.number), visible(row.reason)) for row in rows[:TOLD]],
            more=count - len(rows[:TOLD]),
        )  # fmt: skip


def _not_priced() -> Iterator[Trouble]:
    """Tell of services that the last daily billing of a provider found no price for."""
    done = JobRun.objects.filter(job="billdaily", state=JobRun.State.DONE)
    last = done.order_by().values("provider").annotate(last=Max("pk")).values("last")
    for run in done.filter(pk__in=last).select_related("provider").order_by("pk"):
        count = run.figures.get("counts", {}).get("not_priced", 0)
        if count:
            yield Trouble(
                f"books:price:{run.provider_id}", run.finished_at or run.started_at, "tag", "bad",
                ngettext("%d service", "%d services", count) % count,
                ngettext("has no price", "have no price", count),
                _("Daily billing of %(code)s could not renew them: set the price that is missing, "
                  "or change their product or period.") % {"code": visible(run.provider.code)},
                row_of("billing-runs", run.pk), _("Open run"),
            )  # fmt: skip


def _tasks() -> Iterator[Trouble]:
    rows = Task.objects.filter(done_at=None, kind="operation").order_by("-created_at")
    found = list(rows.values_list("created_at", "subject", "text")[: TOLD + 1])
    if found:
        count = len(found) if len(found) <= TOLD else rows.count()
        yield Trouble(
            "books:tasks", found[0][0], "unplug", "warn",
            ngettext("%d operation", "%d operations", count) % count,
            ngettext("was given up", "were given up", count),
            _("A module did not do it, or leaves it to people: it waits as a task."),
            list_of("tasks"), _("See the tasks"),
            members=[(visible(subject), visible(text)) for _at, subject, text in found[:TOLD]],
            more=count - len(found[:TOLD]),
        )  # fmt: skip


def _unsigned() -> Iterator[Trouble]:
    """Tell of payment methods whose door got more than a few notices that nobody had signed."""
    for one in unsigned.lately():
        if one.count > unsigned.FEW:
            yield Trouble(
                f"books:unsigned:{one.method.code}", one.last_at, "octagon-alert", "warn",
                visible(one.method.name),
                ngettext("got %d unsigned notice", "got %d unsigned notices", one.count)
                % one.count,
                _("They were refused, and moved no money. Either the secret that its gateway signs "
                  "with was changed there and not here, or somebody tries to forge payments."),
                row_of("payment-methods", one.method.pk), _("Look at its settings"),
            )  # fmt: skip


def _letters() -> Iterator[Trouble]:
    """Tell of letters to clients that were given up, by reason."""
    rows = Message.objects.filter(state=State.FAILED, channel=CHANNEL).order_by()
    reasons = rows.values_list("last_error").annotate(n=Count("id"), last=Max("created"))
    for reason, count, last in reasons.order_by("-n")[:LETTERS]:
        yield Trouble(
            f"books:letters:{reason[:100]}", last, "mail-x", "warn",
            ngettext("%d letter to a client", "%d letters to clients", count) % count,
            ngettext("was given up", "were given up", count), visible(reason),
            list_of("letters"), _("See the letters"),
        )  # fmt: skip
