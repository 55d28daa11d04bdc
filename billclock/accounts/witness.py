"""What happens inside Django's and allauth's sign-in, heard by their signals and written down."""

from typing import Any

from allauth.account.signals import authentication_step_completed, password_changed, password_set
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import (
    authentication_failed,
    authenticator_added,
    authenticator_removed,
    authenticator_reset,
)
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.http import HttpRequest

from billclock.accounts import freshness, sessions
from billclock.accounts.audit import note
from billclock.accounts.models import User


def listen() -> None:
    """Begin to hear; called once, when the app is ready."""
    user_logged_in.connect(_signed_in)
    user_logged_out.connect(_signed_out)
    authentication_step_completed.connect(_step)
    password_changed.connect(_password_changed)
    password_set.connect(_password_changed)
    authenticator_added.connect(_factor_added)
    authenticator_removed.connect(_factor_removed)
    authenticator_reset.connect(_codes_renewed)
    authentication_failed.connect(_code_refused)


def kind(authenticator: Authenticator) -> str:
    """Name a second factor as the trail does: its type, and the name a passkey was given."""
    name = authenticator.data.get("name", "") if isinstance(authenticator.data, dict) else ""
    return f"{authenticator.type} {name}".strip()


def _signed_in(request: HttpRequest, user: User, **_: Any) -> None:
    sessions.begin(request)
    freshness.prove(request.session)
    note(user.email, "sign-in", user.email, request=request)


def _signed_out(request: HttpRequest, user: User | None, **_: Any) -> None:
    if user is not None:
        note(user.email, "sign-out", user.email, request=request)


def _step(request: HttpRequest, *, reauthenticated: bool = False, **_: Any) -> None:
    if reauthenticated:
        freshness.prove(request.session)


def _password_changed(request: HttpRequest, user: User, **_: Any) -> None:
    sessions.end_all(user, but=request.session)
    note(user.email, "password.change", user.email, request=request)


def _factor_added(request: HttpRequest, user: User, authenticator: Authenticator, **_: Any) -> None:
    note(user.email, "factor.add", user.email, after=kind(authenticator), request=request)


def _factor_removed(
    request: HttpRequest, user: User, authenticator: Authenticator, **_: Any
) -> None:
    note(user.email, "factor.remove", user.email, before=kind(authenticator), request=request)


def _codes_renewed(request: HttpRequest, user: User, **_: Any) -> None:
    note(user.email, "factor.renew-codes", user.email, request=request)


def _code_refused(request: HttpRequest, user: User, authenticator: Authenticator, **_: Any) -> None:
    note(user.email, "code.refused", user.email, before=kind(authenticator), request=request)
