"""The way out of a kind of letters, from the letter itself: the page, and one click of programs."""

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language, override
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from billclock.billing.letters import readers
from billclock.billing.letters.readers import BadLinkError


# what comes by one click (RFC 8058) has neither cookie nor token of ours: the link is the right
@csrf_exempt
@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, token: str) -> HttpResponse:
    """Show what a link ends; a POST ends it, or with do=again takes it up again."""
    try:
        contact, kind = readers.of_link(token)
    except BadLinkError as error:
        return render(request, "entrance/unsubscribe.html", {"error": error}, status=404)
    if request.method == "POST":
        readers.choose(contact, kind, on=request.POST.get("do") == "again")
    known = contact.language in dict(settings.LANGUAGES)
    with override(contact.language if known else get_language()):
        facts = {"contact": contact, "kind": kind, "on": readers.subscribed(contact, kind)}
        return render(request, "entrance/unsubscribe.html", facts)
