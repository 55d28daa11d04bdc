"""One-time links by which a user chooses a password: the first, or a new one."""

import secrets
from datetime import timedelta
from hashlib import sha256

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest

from billclock import clock
from billclock.accounts import sessions
from billclock.accounts.audit import note
from billclock.accounts.models import OneTimeLink, Purpose, User

VALID_FOR = {Purpose.INVITATION: timedelta(days=3), Purpose.RESET: timedelta(hours=1)}
ACTS = {Purpose.INVITATION: "user.accept", Purpose.RESET: "password.reset"}


class LinkError(Exception):
    """A link can't be used: it is unknown, was used, was replaced by a newer one, or is old."""


@transaction.atomic
def make(user: User, purpose: Purpose) -> str:
    """Make a link and give its address; it ends the links a user had before.

    It works once and for VALID_FOR. Only a hash of its secret is kept.
    """
    token = secrets.token_urlsafe(32)
    OneTimeLink.objects.filter(user=user).delete()
    OneTimeLink.objects.create(
        user=user,
        purpose=purpose,
        digest=_digest(token),
        expires_at=clock.now() + VALID_FOR[purpose],
    )
    return f"{settings.PUBLIC_URL.rstrip('/')}/password/{token}"


def find(token: str) -> OneTimeLink:
    """Give the link of a secret. Raise LinkError where it is no use."""
    links = OneTimeLink.objects.select_related("user").filter(user__is_active=True)
    found = links.filter(digest=_digest(token), expires_at__gt=clock.now()).first()
    if found is None:
        raise LinkError
    return found


@transaction.atomic
def use(token: str, password: str, request: HttpRequest) -> User:
    """Use a link up: set the password, end all the user's sessions. Raise LinkError.

    Of two who use one link at once, on whichever engine, one deletes it; the other is too late.
    """
    link = find(token)
    if not OneTimeLink.objects.filter(pk=link.pk).delete()[0]:
        raise LinkError
    user = link.user
    user.set_password(password)
    user.save(update_fields=["password"])
    OneTimeLink.objects.filter(user=user).delete()
    sessions.end_all(user)
    note(user.email, ACTS[Purpose(link.purpose)], user.email, request=request)
    return user


def _digest(token: str) -> str:
    return sha256(token.encode()).hexdigest()
