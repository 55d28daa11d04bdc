"""The one-time link, printed at the first start, that makes the first root user."""

import hmac
import secrets
from datetime import timedelta
from hashlib import sha256

from django.conf import settings
from django.db import transaction

from billclock import clock
from billclock.accounts.audit import note
from billclock.accounts.models import Role, SetupLink, User

VALID_FOR = timedelta(hours=24)


class SetupError(Exception):
    """A set-up link can't be used: `reason` is `done`, `unknown` or `expired`."""

    def __init__(self, reason: str) -> None:
        mend = {
            "done": "a root user exists already: sign in",
            "unknown": "this is not the link printed last: use that one",
            "expired": "this link is too old: start Billclock again for a new one",
        }
        super().__init__(mend[reason])
        self.reason = reason


@transaction.atomic
def setup_link() -> str | None:
    """Make a new link and give its address; None once a root user exists.

    A link works once and for 24 hours; making one ends the links before it. Only a hash of its
    secret is kept, so that reading the database gives nobody a user.
    """
    if _is_done():
        return None
    token = secrets.token_urlsafe(32)
    SetupLink.objects.all().delete()
    SetupLink.objects.create(digest=_digest(token), expires_at=clock.now() + VALID_FOR)
    return f"{settings.PUBLIC_URL.rstrip('/')}/setup/{token}"


def check(token: str) -> None:
    """Raise SetupError unless `token` is the secret of a link that can be used now."""
    if _is_done():
        raise SetupError("done")
    found = [link for link in SetupLink.objects.all() if _fits(link, token)]
    if not found:
        raise SetupError("unknown")
    if found[0].expires_at <= clock.now():
        raise SetupError("expired")


@transaction.atomic
def make_first_user(token: str, email: str, password: str, language: str = "en") -> User:
    """Use the link up and make the first root user. Raise SetupError for a link that is no use.

    Of two people who send the form at once one takes the rows of the links; the other finds a
    root user when his turn comes.
    """
    list(SetupLink.objects.select_for_update())
    check(token)
    SetupLink.objects.all().delete()
    user = User.objects.create_user(email, password, role=Role.ROOT, language=language)
    note(user.email, "user.first", user.email)
    return user


def _is_done() -> bool:
    return User.objects.filter(role=Role.ROOT).exists()


def _digest(token: str) -> str:
    return sha256(token.encode()).hexdigest()


def _fits(link: SetupLink, token: str) -> bool:
    return hmac.compare_digest(link.digest, _digest(token))
