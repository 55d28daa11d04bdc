"""warnupdateexpiredate: letters about services that end, and products whose updates end, soon."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from billclock.billing import notice_kinds as kinds
from billclock.billing import reminders
from billclock.billing.concluding import ends
from billclock.billing.errors import BillingError
from billclock.billing.notifications import Telling
from billclock.billing.provider import Provider
from billclock.billing.services import Service, Status
from billclock.jobs import sections, telling
from billclock.jobs.job import Program
from billclock.jobs.registry import job
from billclock.jobs.report import Report, Tally
from billclock.jobs.telling import Order, business_date

NAME = "warnupdateexpiredate"


@job(
    name=NAME,
    rows=(1,),
    section=sections.NOTICES,
    title="BILLmanager update expiredate notification",
    meaning="Checking whether letters for services with an pending expiration date need to be sent",
    program=Program.BILLMAINTAIN,
    arguments=f"--command {NAME}",
    schedule="0 1 * * *",
    catch_up=True,
)
def warn(*, on: date, dry_run: bool, confirm: bool, explain: str) -> Report:
    """Tell of ends that the provider's days before expiry have been reached for.

    `explain` is a service's number.
    """
    tally = Tally(NAME)
    if explain:
        with tally.isolated(explain):
            _explain(tally, explain, on)
        return tally.report()
    telling.tell(Order(NAME, on, dry_run, confirm), tally, _find)
    return tally.report()


def _find(provider: Provider, on: date, _due: Sequence[date]) -> Iterator[Telling]:
    yield from reminders.ends(provider, on)
    yield from reminders.updates(provider, on)


def _explain(tally: Tally, number: str, on: date) -> None:
    service = (
        Service.objects.filter(number=number).select_related("account__provider", "product").first()
    )
    if service is None:
        raise BillingError(f"there is no service {number!r}", "give a service's number")
    provider = service.account.provider
    on = business_date(provider, on)
    tally.say(f"{number}: {ends.concluded(service, on)}")
    days = " ".join(map(str, sorted(provider.expiry_days, reverse=True)))
    tally.say(
        f"{number}, {service.product.name}: {Status(service.status).label.lower()}, paid until"
        f" {service.paid_until}, {(service.paid_until - on).days} days from {on}"
    )
    for reason in _why_not(service):
        tally.say(f"no letter about its end: {reason}")
    if service.updates_until:
        tally.say(f"its updates end on {service.updates_until}")
    tally.say(f"letters go out {days} days before")
    about = (kinds.EXPIRING, kinds.UPDATES_ENDING)
    telling.explain(tally, service.account_id, about, subjects=[service.pk])


def _why_not(service: Service) -> Iterator[str]:
    if service.auto_renew:
        yield "it is renewed by itself, so billing tells of it"
    if service.status != Status.ACTIVE or service.stopped_for:
        yield "it is not in use"
