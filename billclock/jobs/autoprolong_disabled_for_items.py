"""autoprolong_disabled_for_items: letters about renewals that were switched off, one a switch."""

from __future__ import annotations

from datetime import date

from billclock.billing import notice_kinds as kinds
from billclock.billing import reminders
from billclock.billing.concluding import switches as concluding
from billclock.billing.errors import BillingError
from billclock.billing.services import Service
from billclock.jobs import sections, telling
from billclock.jobs.job import Program
from billclock.jobs.registry import job
from billclock.jobs.report import Report, Tally
from billclock.jobs.telling import Order, business_date

NAME = "autoprolong_disabled_for_items"


@job(
    name=NAME,
    rows=(23,),
    section=sections.SERVICES,
    title="BILLmanager autoprolong notification",
    meaning="Notifications on services whose automatic renewal was switched off",
    program=Program.BILLMAINTAIN,
    arguments=f"--command {NAME}",
    schedule="30 */12 * * *",
    catch_up=True,
)
def tell(*, on: date, dry_run: bool, confirm: bool, explain: str) -> Report:
    """Tell of switches that hold and end a service within 30 days; `explain`: its number."""
    tally = Tally(NAME)
    if explain:
        with tally.isolated(explain):
            _explain(tally, explain, on)
        return tally.report()
    # twice a day: what was told is known by the switch, so a date need not be done only once
    order = Order(NAME, on, dry_run, confirm, again=True)
    telling.tell(order, tally, lambda provider, day, _: reminders.switched_off(provider, day))
    return tally.report()


def _explain(tally: Tally, number: str, on: date) -> None:
    found = Service.objects.select_related("account__provider")
    service = found.filter(number=number).first()
    if service is None:
        raise BillingError(f"there is no service {number!r}", "give a service's number")
    day = business_date(service.account.provider, on)
    tally.say(f"{number}: {concluding.concluded(service, day)}")
    switches = list(service.renewal_switches.order_by("id"))
    for switch in switches:
        state = "on" if switch.on else "off"
        why = f": {switch.why}" if switch.why else ""
        tally.say(f"{switch.at:%Y-%m-%d %H:%M} UTC switched {state} by {switch.by}{why}")
    if service.auto_renew:
        tally.say("automatic renewal is on: there is nothing to tell")
    tally.say(
        f"paid until {service.paid_until}; letters go out within"
        f" {reminders.RENEWAL_OFF_DAYS} days of it"
    )
    subjects = [switch.pk for switch in switches]
    telling.explain(tally, service.account_id, (kinds.RENEWAL_OFF,), subjects=subjects)
