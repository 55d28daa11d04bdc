"""What every answer tells the browser to refuse: what is inline, from outside, or not over TLS."""

from collections.abc import Callable

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

A_YEAR = "max-age=31536000"


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
        if settings.HTTPS:
            response["Strict-Transport-Security"] = A_YEAR
        return response

    return middleware
