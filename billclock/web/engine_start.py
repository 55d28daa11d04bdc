"""Start the scheduler from a page that says it is not running."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from billclock import clock
from billclock.accounts import audit
from billclock.accounts.models import User
from billclock.scheduler import starting
from billclock.web.access import for_all, may_run, operator
from billclock.web.engine import State, engine


def may_start(user: object) -> bool:
    """Tell whether a user may start the scheduler and somebody is there who hears him."""
    allowed = isinstance(user, User) and may_run(user) and not user.tables.split()
    return allowed and starting.hangs()


@require_POST
def start(request: HttpRequest) -> HttpResponse:
    """Ask the supervisor for a scheduler, where none works."""
    user = operator(request)
    for_all(user)
    if engine(clock.now()).state is not State.DOWN:
        messages.success(request, _("The scheduler is running already."))
    elif starting.ring():
        audit.note(user.email, "engine.start", "scheduler", request=request)
        messages.success(request, _("The scheduler was asked to start: give it a few seconds."))
    else:
        messages.error(
            request,
            _("The web server runs by itself: start the scheduler with billclock scheduler."),
        )
    return redirect("jobs")
