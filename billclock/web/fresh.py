"""Before something is changed: whoever was idle shows who he is, and goes on where he was."""

import json
from collections.abc import Callable
from functools import wraps
from secrets import token_urlsafe
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from billclock.accounts import freshness
from billclock.accounts.sealing import seal, unseal

View = Callable[..., HttpResponse]
SAFE = ("GET", "HEAD", "OPTIONS")
KEPT_FORMS = 3
_KEY = "interrupted"
_PURPOSE = "interrupted form"


def fresh(view: View) -> View:
    """Have a view change things only for a user who was not idle for freshness.IDLE seconds.

    A form sent later is kept in the session while he is asked for his second factor, or for his
    password where he has none; then he is given it back whole, to send with one press. Reading is
    never interrupted. A script that sends a form finds its answer `redirected` and follows it.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method in SAFE:
            return view(request, *args, **kwargs)
        if freshness.is_fresh(request.session):
            _let_go(request)
            return view(request, *args, **kwargs)
        query = urlencode({"form": keep(request)})
        return HttpResponseRedirect(f"{reverse('account_reauthenticate')}?{query}")

    return guarded


def keep(request: HttpRequest) -> str:
    """Keep a form in the session, and give the name by which `kept` finds it.

    What was typed may be a secret, so it is sealed. A file can't be kept: it is chosen again.
    """
    name = token_urlsafe(8)
    forms = dict(list(request.session.get(_KEY, {}).items())[1 - KEPT_FORMS :])
    fields = [
        [field, value]
        for field, values in request.POST.lists()
        for value in values
        if field != "csrfmiddlewaretoken"
    ]
    forms[name] = {
        "path": request.get_full_path(),
        "sealed": seal(_PURPOSE, json.dumps({"fields": fields, "files": list(request.FILES)})),
    }
    request.session[_KEY] = forms
    return name


def kept(request: HttpRequest, name: str) -> dict[str, Any] | None:
    """Give a kept form: its path, its fields as pairs and the names of its files."""
    found = request.session.get(_KEY, {}).get(name)
    told = unseal(_PURPOSE, found["sealed"]) if found is not None else None
    return {"path": found["path"], **json.loads(told)} if told is not None else None


def _let_go(request: HttpRequest) -> None:
    """Forget the forms kept for this address: one of them has just come back."""
    forms = request.session.get(_KEY, {})
    path = request.get_full_path()
    left = {name: form for name, form in forms.items() if form["path"] != path}
    if len(left) < len(forms):
        request.session[_KEY] = left
