"""One run, found for a user to whom its crontab is open."""

from django.http import Http404
from django.utils.translation import gettext as _

from billclock.accounts.models import User
from billclock.scheduler.models import Run
from billclock.web.run_query import open_to


def one(user: User, run: int) -> Run:
    """Give a run with its entry and slot. Raise Http404 where it is not kept or not open to him."""
    found = open_to(user).select_related("entry", "slot").filter(pk=run).first()
    if found is None:
        raise Http404(_("There is no run %d, or it is no longer kept.") % run)
    return found
