"""A call from outside: the function is called for a caller, and what it changed is noted."""

from collections.abc import Mapping

from django.http import HttpRequest

from billclock.accounts import audit, freshness
from billclock.accounts.models import Role
from billclock.api.callers import Caller, Way
from billclock.api.documents import Change, Document, Fault
from billclock.api.registry import call, failed, find
from billclock.billing.rates import sources
from billclock.cron import veiling

STATUS = {
    "auth": 401,
    "access": 403,
    "csrf": 403,
    "idle": 403,
    "query": 404,
    "missing": 404,
    "method": 405,
    "busy": 409,
    "conflict": 409,
    "size": 413,
    "job": 422,
    "limit": 429,
    "table": 500,
    "internal": 500,
    "engine": 503,
}
"""The HTTP status of each type of error; 400 of any other."""

SECRET = frozenset({"password", "key", "auth", "authinfo"})


def perform(request: HttpRequest, caller: Caller, name: str, params: Mapping[str, str]) -> Document:
    """Call a function, and note in the audit trail what it changed.

    A browser that was idle changes nothing: its user shows on a page who he is, as for any form.
    """
    acts = changes(name, params)
    if acts and caller.way is Way.COOKIE and not freshness.is_fresh(request.session):
        words = "you were idle: show who you are at /account/confirm, then call again"
        return failed(name, Fault("idle", name, "", words))
    document = call(name, params, actor=caller.actor)
    if acts and document.fault is None:
        plain = (f"{key}={_told(key, text)}" for key, text in params.items() if key not in SECRET)
        for change in document.changes or [Change(" ".join(plain))]:
            _note(request, caller, name, change)
    return document


def _told(name: str, text: str) -> str:
    """Give a parameter as the audit trail keeps it: an address without what in it may be secret."""
    if veiling.is_secret(name, text):
        return veiling.STARS
    return sources.told(text) if "://" in text else text


def _note(request: HttpRequest, caller: Caller, name: str, change: Change) -> None:
    audit.note(
        caller.actor.name,
        name,
        change.subject,
        table=change.table,
        before=change.before,
        after=change.after,
        request=request,
    )


def changes(name: str, params: Mapping[str, str]) -> bool:
    """Tell whether a call changes anything: whether it needs more than a viewer's role."""
    known = find(name)
    return known is not None and known.needs(params) is not Role.VIEWER


def status(fault: Fault | None) -> int:
    """Give the HTTP status of an answer."""
    return 200 if fault is None else STATUS.get(fault.type, 400)
