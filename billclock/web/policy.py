"""What every answer tells the browser: what to refuse, and that what it got is for one alone."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; frame-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)

LETTER = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; "
    "frame-ancestors 'self'; base-uri 'none'"
)
"""What a letter shown in a frame may do: look as it looks, and nothing else."""

UNKEPT = "private, no-cache"
"""What is not said otherwise is for who asked alone, and is asked for again each time."""

A_YEAR = "max-age=31536000"


def forgotten(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Have the browser forget the pages it keeps once a view was sent its form: who signed out.

    The next person at this browser would go back to them (Clear Site Data, 3.1). It heeds this
    over https and at localhost.
    """

    @wraps(view)
    def forgetting(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        if request.method == "POST":
            response["Clear-Site-Data"] = '"cache"'
        return response

    return forgetting


def content_security_policy(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Give Django's middleware that puts POLICY on every answer, static files and errors too.

    Where the public address is https, a browser is told to ask in no other way for a year. It is
    told whatever the request came by: a proxy ends TLS, and over http browsers do not listen.
    A view that shows what others wrote sets a stricter one itself.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        response.headers.setdefault("Cache-Control", UNKEPT)
        if settings.HTTPS:
            response["Strict-Transport-Security"] = A_YEAR
        return response

    return middleware
