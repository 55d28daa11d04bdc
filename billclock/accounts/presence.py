"""The middleware that knows when and whence a session was last used, and whether it lay idle."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

from billclock.accounts import freshness, sessions


def presence(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Give Django's middleware, to stand below those of session and user."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if request.user.is_authenticated:
            sessions.see(request)
            if _by_hand(request):
                freshness.stay(request.session)
        return get_response(request)

    return middleware


def _by_hand(request: HttpRequest) -> bool:
    """Tell whether the user did this: a page that refreshes itself is no sign of him.

    By Fetch Metadata; a browser that sends none shows its user by the forms he sends.
    """
    return request.method == "POST" or request.headers.get("Sec-Fetch-Mode") == "navigate"
