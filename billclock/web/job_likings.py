"""How a user likes the list of jobs: which columns, which views by name, single keys or none."""

from dataclasses import dataclass, field

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from billclock.accounts import preferences
from billclock.accounts.models import User
from billclock.web.access import signed_in

PREFIX = "jobs."
COLUMNS: dict[str, Promise] = {
    "command": gettext_lazy("Command"),
    "sched": gettext_lazy("Schedule"),
    "next": gettext_lazy("Next run"),
    "last": gettext_lazy("Last run"),
    "spark": gettext_lazy("Last 20"),
    "mail": gettext_lazy("Report"),
}
MOST_VIEWS = 20
LONGEST = 60  # letters of a view's name


@dataclass(frozen=True)
class Likings:
    """What was chosen: columns that are hidden, views as name to query, whether keys act."""

    hidden: frozenset[str] = frozenset()
    views: dict[str, str] = field(default_factory=dict)
    keys: bool = True


def likings(user: User) -> Likings:
    """Look up what a user chose: one query."""
    found = preferences.kept(user, PREFIX)
    return Likings(
        hidden=frozenset(found.get("jobs.hidden", ())) & COLUMNS.keys(),
        views=dict(found.get("jobs.views", {})),
        keys=bool(found.get("jobs.keys", True)),
    )


@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    """Keep columns, a view (or let go of it), or whether single keys act; then go back."""
    user = signed_in(request)
    given = request.POST
    if given.get("do") == "columns":
        shown = set(given.getlist("column"))
        preferences.keep(user, "jobs.hidden", sorted(COLUMNS.keys() - shown))
    elif given.get("do") == "keys":
        preferences.keep(user, "jobs.keys", given.get("keys") == "on")
    elif "forget" in given or given.get("do") == "view":
        _keep_view(user, given.get("forget", ""), given.get("name", ""), given.get("back", ""))
    back = given.get("back", "")
    return HttpResponseRedirect(reverse("jobs") + (back if back.startswith("?") else ""))


def _keep_view(user: User, forget: str, name: str, query: str) -> None:
    views = dict(likings(user).views)
    views.pop(forget, None)
    name = name.strip()[:LONGEST]
    if not forget and name and query.startswith("?") and len(views) < MOST_VIEWS:
        views[name] = query[:2000]
    preferences.keep(user, "jobs.views", views)
