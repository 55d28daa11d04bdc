"""How a user likes the list of jobs: which columns, which views by name, single keys or none."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from billclock.accounts.models import User
from billclock.web.access import signed_in
from billclock.web.kit import likings as kit
from billclock.web.kit.likings import Likings

NAME = "jobs"
COLUMNS: dict[str, Promise] = {
    "command": gettext_lazy("Command"),
    "sched": gettext_lazy("Schedule"),
    "next": gettext_lazy("Next run"),
    "last": gettext_lazy("Last run"),
    "spark": gettext_lazy("Last 20"),
    "mail": gettext_lazy("Report"),
}


def likings(user: User) -> Likings:
    """Look up what a user chose: one query."""
    return kit.likings(user, NAME, COLUMNS)


@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    """Keep columns, a view (or let go of it), or whether single keys act; then go back."""
    back = kit.choose(signed_in(request), NAME, COLUMNS, request.POST)
    return HttpResponseRedirect(reverse("jobs") + back)
