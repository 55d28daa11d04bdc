"""`/billmgr?func=…`: the named functions over HTTP, as the panel has them."""

from collections.abc import Mapping

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters

from billclock.api import callers, calls, keys
from billclock.api.callers import Caller, Way
from billclock.api.documents import Document, Kind, Output
from billclock.api.parameters import FunctionError
from billclock.api.registry import failed

METHODS = ("GET", "HEAD", "POST")
TYPES = {
    Output.TEXT: "text/plain; charset=utf-8",
    Output.JSON: "application/json",
    Output.XML: "text/xml; charset=utf-8",
    Output.DEVEL: "text/xml; charset=utf-8",
}
OURS = frozenset({"func", "out", "auth", "authinfo", "csrfmiddlewaretoken"})


# whose cookie says who he is must show the form's token all the same: callers.by_cookie asks
@csrf_exempt
@login_not_required
@never_cache
@sensitive_post_parameters("password", "key", "auth", "authinfo")
def billmgr(request: HttpRequest) -> HttpResponse:
    """Call the function that `func` names with the other parameters, and answer as `out` says.

    An error is a document too, with a status that fits.
    """
    name, output = "", Output.TEXT
    try:
        params = _params(request)
        name = params.get("func", "")
        output = _output(params.get("out", Output.TEXT))
        document = _answer(request, name, params)
    except FunctionError as error:
        document = failed(name, error.fault)
    return _response(document, output)


def _answer(request: HttpRequest, name: str, params: Mapping[str, str]) -> Document:
    own = {key: text for key, text in params.items() if key not in OURS}
    if name == "auth":
        return _sign_in(request, own)
    caller = _caller(request, params)
    if not name:
        raise FunctionError("query", "func", "", "func is missing: give a function's name")
    if caller.way is Way.COOKIE and request.method != "POST" and calls.changes(name, own):
        # an address that another site leads a browser to must not do anything
        raise FunctionError("method", "func", name, f"{name} changes something: send it by POST")
    return calls.perform(request, caller, name, own)


def _caller(request: HttpRequest, params: Mapping[str, str]) -> Caller:
    """Give who calls; what is said in the call itself counts, and then the browser's cookie."""
    token = callers.bearer(request) or params.get("auth", "")
    if token:
        return callers.by_key(token)
    if "authinfo" in params:
        email, _, password = params["authinfo"].partition(":")
        return callers.by_password(request, email, password)
    caller = callers.by_cookie(request)
    if caller is None:
        raise callers.refused("auth", "say who calls: by a key, auth=, authinfo= or func=auth")
    return caller


def _sign_in(request: HttpRequest, params: Mapping[str, str]) -> Document:
    """Begin a session by a password, or by a key of session.newkey, which it uses up."""
    email = params.get("username", "")
    if "key" in params:
        user = keys.use_once(email, params["key"])
        if user is None:
            raise callers.refused("auth", "the key is not known, or was used already")
    else:
        user = callers.by_password(request, email, params.get("password", "")).user
    return Document("auth", Kind.ACTION, values={"auth": keys.begin_session(user)})


def _params(request: HttpRequest) -> dict[str, str]:
    """Give the parameters of the address and of the body; raise FunctionError."""
    if request.method not in METHODS:
        raise FunctionError("method", "func", "", f"{request.method} is not GET or POST")
    try:
        given = [*request.GET.lists(), *request.POST.lists()]
    except RequestDataTooBig:
        most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        raise FunctionError("size", "func", "", f"more than {most} bytes were sent") from None
    except (SuspiciousOperation, MultiPartParserError, UnicodeError) as error:
        raise FunctionError("value", "func", "", f"the request can't be read: {error}") from None
    params: dict[str, str] = {}
    for name, values in given:
        if len(values) > 1 or name in params:
            raise FunctionError("value", name, values[-1], f"{name} is given twice")
        params[name] = values[0]
    return params


def _output(text: str) -> Output:
    try:
        return Output(text)
    except ValueError:
        message = f"out: {text!r} is not one of {', '.join(Output)}"
        raise FunctionError("value", "out", text, message) from None


def _response(document: Document, output: Output) -> HttpResponse:
    code = calls.status(document.fault)
    response = HttpResponse(document.write(output), content_type=TYPES[output], status=code)
    if code == 401:  # noqa: PLR2004 - RFC 9110: who is not let in is told how to say who he is
        response["WWW-Authenticate"] = 'Bearer realm="Billclock"'
    if code == 405:  # noqa: PLR2004 - RFC 9110 asks for the methods that there are
        response["Allow"] = ", ".join(METHODS)
    return response
