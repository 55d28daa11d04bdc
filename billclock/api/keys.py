"""Keys of the API: made and shown once, found again by their hash, ended by time or by hand."""

import secrets
from datetime import timedelta
from hashlib import sha256

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from billclock import clock
from billclock.accounts.models import Role, User
from billclock.api.models import ApiKey, Use

MARK = "bck_"
SHOWN = 10
SESSION_IDLE = timedelta(hours=1)
ONCE_WITHIN = timedelta(minutes=10)
SHORTEST_ONCE = 16
A_MINUTE = timedelta(minutes=1)


class KeyTakenError(ValueError):
    """A key that was given from outside exists already."""


def make(user: User, name: str, role: Role, lasting: timedelta | None) -> tuple[ApiKey, str]:
    """Make a key for calls and give it with its text, which is not kept; None lasts for ever."""
    token = MARK + secrets.token_urlsafe(32)
    return _keep(user, token, Use.CALLS, lasting, name=name, role=role), token


def of(user: User) -> QuerySet[ApiKey]:
    """Give a user's keys and sessions that can still be used, the newest first."""
    return _alive().filter(user=user).exclude(use=Use.ONCE).order_by("-id")


def revoke(user: User, key: int) -> ApiKey | None:
    """End one of a user's keys and give it; None where he has none of this number."""
    found = of(user).filter(pk=key).first()
    if found is not None:
        ApiKey.objects.filter(pk=key).delete()
    return found


def begin_session(user: User) -> str:
    """Begin a session and give its id; it ends an hour after its last call."""
    ApiKey.objects.filter(expires_at__lte=clock.now()).delete()
    token = MARK + secrets.token_urlsafe(32)
    _keep(user, token, Use.SESSION, SESSION_IDLE, name="func=auth", proof=_proof(user))
    return token


def keep_once(user: User, token: str) -> None:
    """Keep a key, made by who asks, that begins one session of a user within ten minutes.

    Raise ValueError for one that is too short, KeyTakenError for one that is known already.
    """
    if len(token) < SHORTEST_ONCE:
        raise ValueError(f"key: give at least {SHORTEST_ONCE} random characters")
    try:
        _keep(user, token, Use.ONCE, ONCE_WITHIN, name="session.newkey")
    except IntegrityError:
        raise KeyTakenError("key: it is known already, make another") from None


def use_once(email: str, token: str) -> User | None:
    """Use such a key up and give its user; None where it is no use for him."""
    found = _alive().filter(digest=_digest(token), use=Use.ONCE).select_related("user").first()
    if found is None or found.user.email != email.strip().lower() or not found.user.is_active:
        return None
    deleted, _ = ApiKey.objects.filter(pk=found.pk).delete()
    return found.user if deleted else None  # of two who come at once one deletes it


def find(token: str) -> ApiKey | None:
    """Give the key of a text with its user, None where it is no use; a session is prolonged."""
    known = _alive().exclude(use=Use.ONCE).select_related("user")
    found = known.filter(digest=_digest(token), user__is_active=True).first()
    if found is None or (found.use == Use.SESSION and found.proof != _proof(found.user)):
        return None
    _note_use(found)
    return found


def _note_use(key: ApiKey) -> None:
    """Write when a key was used, at most once a minute: a call should not cost a write."""
    now = clock.now()
    if key.used_at and now - key.used_at < A_MINUTE:
        return
    key.used_at = now
    if key.use == Use.SESSION:
        key.expires_at = now + SESSION_IDLE
    ApiKey.objects.filter(pk=key.pk).update(used_at=key.used_at, expires_at=key.expires_at)


def _alive() -> QuerySet[ApiKey]:
    return ApiKey.objects.exclude(expires_at__lte=clock.now())


@transaction.atomic
def _keep(
    user: User,
    token: str,
    use: Use,
    lasting: timedelta | None,
    *,
    name: str,
    role: Role = Role.ROOT,
    proof: str = "",
) -> ApiKey:
    now = clock.now()
    return ApiKey.objects.create(
        user=user,
        use=use,
        name=name,
        role=role,
        prefix="" if use == Use.ONCE else token[:SHOWN],
        digest=_digest(token),
        proof=proof,
        made_at=now,
        expires_at=now + lasting if lasting else None,
    )


def _digest(token: str) -> str:
    return sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _proof(user: User) -> str:
    return sha256(user.get_session_auth_hash().encode()).hexdigest()
