"""Moments, pauses and reasons as the answer to why a job did not run says them."""

from datetime import datetime

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from billclock.scheduler.why import Evidence
from billclock.web.retold import retold
from billclock.web.times import Wall, small_days
from billclock.web.visible import visible


def said(moment: datetime, wall: Wall) -> str:
    """Say a moment by weekday, day and time as the server's clock showed it, to be understood."""
    if moment.tzinfo != wall.zone:
        moment = moment.astimezone(wall.zone)
    words = date_format(moment, "D j M" if moment.year == wall.now.year else "j M Y")
    words = words.lower() if small_days() else words
    return f"{words} {moment:%H:%M}"


def scope(held: str) -> str:
    """Name what a pause holds."""
    kind, _colon, name = held.partition(":")
    if kind == "tag":
        return _("all jobs tagged %s") % visible(name)
    return _("starts of this job") if kind == "entry" else _("all jobs")


def reason(evidence: Evidence) -> str:
    """Give why the moment was not served, as it was kept."""
    kept = evidence.settled.reason if evidence.settled else ""
    return visible(retold(kept)) if kept else _("the reason is not kept")
