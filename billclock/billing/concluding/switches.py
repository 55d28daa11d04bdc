"""What was told of a switched-off renewal on a date, or why nothing."""

from __future__ import annotations

from datetime import date

from billclock.billing import notice_kinds as kinds
from billclock.billing.concluding import looked
from billclock.billing.notifications import Notice
from billclock.billing.reminders import RENEWAL_OFF_DAYS
from billclock.billing.services import RenewalSwitch, Service

JOB = "autoprolong_disabled_for_items"


def concluded(service: Service, on: date) -> str:
    """Say in a sentence whether a switch of a service was told on a date, or why not."""
    switches = list(service.renewal_switches.order_by("id"))
    by_key = {one.pk: one for one in switches}
    letters = looked.told(service.account_id, [kinds.RENEWAL_OFF.name], list(by_key), on)
    provider = service.account.provider
    if letters:
        made = looked.dated(provider, by_key[letters[-1].subject].at)
        return f"told on {on}: the switch of {made}"
    why = (
        looked.not_looked(JOB, provider, on)
        or looked.not_open(service, on)
        or _nothing_to_tell(service, switches, on)
        or looked.CHANGED
    )
    return f"no letter on {on}: {why}"


def _nothing_to_tell(service: Service, switches: list[RenewalSwitch], on: date) -> str:
    provider = service.account.provider
    at = looked.looked_at(JOB, provider, on)
    last = next((one for one in reversed(switches) if one.at <= at), None)
    if last is None:
        return "its automatic renewal had not been switched off"
    made = looked.dated(provider, last.at)
    if last.on:
        return f"its automatic renewal was switched on on {made}"
    for end in looked.ends_by_then(service, on):
        if found := _known(service, last, end, on):
            return f"the switch of {made}: {found}"
    return ""


def _known(service: Service, switch: RenewalSwitch, end: date, on: date) -> str:
    """Say why a switch called for no letter with an end; "" where it did."""
    days = (end - on).days
    if days < 0:
        return f"the end was on {end}, before that date"
    if days > RENEWAL_OFF_DAYS:
        return (
            f"the end was {days} days away, on {end}; "
            f"the letter goes out {RENEWAL_OFF_DAYS} days before"
        )
    told = Notice.objects.filter(
        account=service.account_id, kind=kinds.RENEWAL_OFF.name, subject=switch.pk, period=end,
        on__lt=on,
    ).first()  # fmt: skip
    return f"its letter was written on {told.on}" if told else ""
