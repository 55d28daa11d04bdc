"""Who calls: by a key, by a session's id, by a password, or as a browser that is signed in."""

from copy import copy
from dataclasses import dataclass
from enum import StrEnum

from allauth.account.adapter import get_adapter
from allauth.core import ratelimit
from allauth.mfa.utils import is_mfa_enabled
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from ninja.utils import check_csrf

from billclock.accounts.models import Role, User
from billclock.api import keys
from billclock.api.parameters import FunctionError
from billclock.api.registry import RIGHTS, Actor

SAFE = ("GET", "HEAD")


class Way(StrEnum):
    """How a caller said who he is."""

    KEY = "key"
    PASSWORD = "password"  # noqa: S105 - the name of the way
    COOKIE = "cookie"


@dataclass(frozen=True, slots=True)
class Caller:
    """A user, what he may do in this call, and how he came."""

    user: User
    actor: Actor
    way: Way


def by_key(token: str) -> Caller:
    """Give who shows a key or a session's id; raise FunctionError."""
    key = keys.find(token)
    if key is None:
        raise refused("auth", "the key is not known, is over, or was revoked")
    role = min(Role(key.role), Role(key.user.role), key=RIGHTS.__getitem__)
    return Caller(key.user, actor(key.user, role), Way.KEY)


def by_password(request: HttpRequest, email: str, password: str) -> Caller:
    """Give who knows a password; raise FunctionError.

    Wrong ones count against the same limits as those of the sign-in page, and who has a second
    factor needs a key: a password alone would go past it.
    """
    counted = copy(request)
    counted.method = "POST"  # allauth lets any number of GETs pass
    try:
        in_time = ratelimit.consume(counted, action="login")
        adapter = get_adapter(counted)
        user = adapter.authenticate(counted, email=email, password=password) if in_time else None
    except ValidationError:
        in_time = False
    if not in_time:
        raise refused("limit", "too many attempts: wait some minutes, or use a key")
    if not isinstance(user, User) or not user.is_active:
        raise refused("auth", "the e-mail address or the password is not correct")
    if is_mfa_enabled(user):
        raise refused("auth", "this user has a second factor: make a key at /account/keys")
    return Caller(user, actor(user), Way.PASSWORD)


def by_cookie(request: HttpRequest) -> Caller | None:
    """Give who is signed in in this browser, None where nobody is.

    Raise FunctionError where a form of another site may have sent the request.
    """
    if not isinstance(request.user, User):
        return None
    if request.method not in SAFE and check_csrf(request):
        raise refused("csrf", "the token of the form is missing or too old: open the page again")
    return Caller(request.user, actor(request.user), Way.COOKIE)


def bearer(request: HttpRequest) -> str:
    """Give the key of the header `Authorization: Bearer KEY`, empty where there is none."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def actor(user: User, role: Role | None = None) -> Actor:
    """Give a user as functions know him, with his own role or a lower one."""
    tables = frozenset(user.tables.split()) or None
    return Actor(user.email, role or Role(user.role), tables)


def refused(kind: str, message: str) -> FunctionError:
    """Make the error of a call that is not let in; it never says who exists."""
    return FunctionError(kind, "auth", "", message)
