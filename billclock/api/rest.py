"""The JSON API at /api/v1/: its document, who is let in, and how errors are told."""

from collections.abc import Callable, Iterator
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.security import APIKeyCookie, HttpBearer

from billclock import __version__
from billclock.api import callers, calls
from billclock.api.asking import CallError
from billclock.api.callers import Caller
from billclock.api.documents import Fault
from billclock.api.parameters import FunctionError
from billclock.api.resources import entries, rates, runs, tables

View = Callable[..., HttpResponse]
WHERE = {"query", "path", "body", "given"}


class ByKey(HttpBearer):
    """A key of /account/keys in the header Authorization."""

    def authenticate(self, request: HttpRequest, token: str) -> Caller:
        """Give who shows the key."""
        del request
        return callers.by_key(token)


class ByCookie(APIKeyCookie):
    """A browser that is signed in; what changes anything needs the CSRF token too."""

    param_name = settings.SESSION_COOKIE_NAME

    def __init__(self) -> None:
        super().__init__(csrf=False)  # by_cookie asks for the token, and says so in our words

    def authenticate(self, request: HttpRequest, key: str | None) -> Caller | None:
        """Give who is signed in."""
        del key
        return callers.by_cookie(request)


def _to_callers(view: View) -> View:
    """Show the document of the API to who may call it."""

    def guarded(request: HttpRequest, **details: Any) -> HttpResponse:
        try:
            caller = ByKey()(request) or callers.by_cookie(request)
        except FunctionError as error:
            return _refused(request, error)
        return view(request, **details) if caller else _unknown(request, AuthenticationError())

    return guarded


api = NinjaAPI(
    title="Billclock",
    version=__version__,
    description="Crontabs and what ran. The functions of /billmgr?func=…, with types.",
    docs_url=None,
    docs_decorator=_to_callers,
    auth=[ByKey(), ByCookie()],
    urls_namespace="api",
)
for module in (tables, entries, runs, rates):
    api.add_router("", module.router)


def patterns() -> Iterator[URLPattern]:
    """Give the addresses; the API itself says who is let in, not the page that asks to sign in."""
    for pattern in api.urls[0]:
        if isinstance(pattern, URLPattern):
            login_not_required(pattern.callback)
            yield pattern


@api.exception_handler(CallError)
def _failed(request: HttpRequest, error: CallError) -> HttpResponse:
    return _told(request, error.fault)


@api.exception_handler(FunctionError)
def _refused(request: HttpRequest, error: FunctionError) -> HttpResponse:
    return _told(request, error.fault)


@api.exception_handler(AuthenticationError)
def _unknown(request: HttpRequest, _error: AuthenticationError) -> HttpResponse:
    return _told(request, callers.refused("auth", "say who calls: Authorization: Bearer KEY").fault)


@api.exception_handler(ValidationError)
def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """Name the first parameter that is wrong."""
    first = error.errors[0]
    place = [str(part) for part in first["loc"] if part not in WHERE]
    about = ".".join(place) or "body"
    return _told(request, Fault("value", about, "", f"{about}: {first['msg']}"))


@api.exception_handler(HttpError)
def _unreadable(request: HttpRequest, error: HttpError) -> HttpResponse:
    return _told(request, Fault("value", "body", "", str(error)))


def _told(request: HttpRequest, fault: Fault) -> HttpResponse:
    about = {"object": fault.object, "value": fault.value, "message": fault.message}
    readable = {name: text.encode("utf-8", "replace").decode() for name, text in about.items()}
    code = calls.status(fault)
    response = api.create_response(
        request, {"error": {"type": fault.type, **readable}}, status=code
    )
    if code == 401:  # noqa: PLR2004 - RFC 9110: who is not let in is told how to say who he is
        response["WWW-Authenticate"] = 'Bearer realm="Billclock"'
    return response
