"""The palette: go to any screen or job, act on the job at hand; a page where there is no script."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from billclock.web.access import signed_in
from billclock.web.palette_found import Asked, found


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Show what is found as links and buttons, with a field to search by."""
    asked = Asked.read(request.GET)
    groups = found(signed_in(request), asked)
    context = {"asked": asked, "groups": groups}
    return render(request, "palette/page.html", context)


@require_safe
def choices(request: HttpRequest) -> HttpResponse:
    """Give what is found as the options of a list, which the script puts into the open palette."""
    groups = found(signed_in(request), Asked.read(request.GET))
    return render(request, "palette/options.html", {"groups": groups})
