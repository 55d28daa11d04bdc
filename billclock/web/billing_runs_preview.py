"""What a billing run that waits would do: its job rehearsed for its date, and undone again."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.http import require_POST

from billclock.accounts.models import Role
from billclock.jobs import registry
from billclock.web.billing_runs import ALLOWED, ASKING, BILLING_RUNS, state
from billclock.web.kit import detail, rights
from billclock.web.visible import visible

MOST_LINES = 200


@require_POST
def page(request: HttpRequest, key: str) -> HttpResponse:
    """Rehearse a run's job and show what it told; what no longer waits leads back to its page.

    It changes nothing, but works as long as the job would: so it is asked for by a form alone.
    """
    rights.editor(request, BILLING_RUNS, Role.OPERATOR)
    run = detail.one(BILLING_RUNS, key)
    back = BILLING_RUNS.address("one", run.pk)
    if state(run) not in (ASKING, ALLOWED):
        return redirect(back)
    lines = registry.perform(run.job, on=run.on, dry_run=True).text().splitlines()
    context = {
        "section": BILLING_RUNS, "name": BILLING_RUNS.name_of(run), "back": back,
        "lines": [visible(line) for line in lines[:MOST_LINES]],
        "left_out": max(len(lines) - MOST_LINES, 0),
    }  # fmt: skip
    return render(request, "billing_runs/preview.html", context)


URLS = [path("billing-runs/<str:key>/preview", page, name="billing-runs_preview")]
