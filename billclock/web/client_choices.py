"""What is like a text among clients or accounts, as options for a field where one is chosen."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from billclock.web.kit import rights
from billclock.web.kit.section import Section
from billclock.web.seeking import Sought


@require_safe
def page(request: HttpRequest, section: Section, sought: Sought) -> HttpResponse:
    """Give what is like `q`, which the script puts into the field's list."""
    rights.reader(request, section)
    found = sought.like(request.GET.get("q", ""))
    return render(request, "parts/chooser_options.html", {"choices": found})
