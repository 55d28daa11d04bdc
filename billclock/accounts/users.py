"""Acts of a root user on users: invite, change, shut out, let in again.

`by` as a text is the root user's address, or the system user at a shell, who has no request.
"""

from dataclasses import dataclass

from allauth.mfa.models import Authenticator
from django.db import transaction
from django.http import HttpRequest

from billclock.accounts import links, sessions
from billclock.accounts.audit import note
from billclock.accounts.models import Purpose, Role, User


class LastRootError(Exception):
    """The change would leave nobody who can make and change users."""


class TakenError(Exception):
    """A user of this e-mail address exists already."""


@dataclass(frozen=True)
class Rights:
    """What a user may do: his role, and the tables open to him with blanks between, "" for all."""

    role: Role
    tables: str = ""

    def __str__(self) -> str:
        """Say it in two lines, as the audit trail keeps it."""
        return f"role: {self.role}\ntables: {self.tables or '*'}\n"


@transaction.atomic
def invite(email: str, rights: Rights, *, by: User, request: HttpRequest) -> tuple[User, str]:
    """Make a user who has no password yet, and the link by which he chooses one.

    Raise TakenError.
    """
    email = email.lower()
    if User.objects.filter(email=email).exists():
        raise TakenError
    user = User.objects.create_user(
        email, role=rights.role, tables=rights.tables, language=by.language
    )
    note(by.email, "user.invite", email, after=str(rights), request=request)
    return user, links.make(user, Purpose.INVITATION)


@transaction.atomic
def change(user: User, rights: Rights, *, by: User, request: HttpRequest) -> None:
    """Give a user other rights, in force with his next request. Raise LastRootError."""
    user = User.objects.select_for_update().get(pk=user.pk)
    before = rights_of(user)
    if before == rights:
        return
    user.role, user.tables = rights.role, rights.tables
    user.save(update_fields=["role", "tables"])
    _keep_a_root()
    note(by.email, "user.change", user.email, before=str(before), after=str(rights),
         request=request)  # fmt: skip


@transaction.atomic
def shut_out(user: User, *, by: str, request: HttpRequest | None = None) -> None:
    """Let a user in no more and end his sessions and links. Raise LastRootError."""
    User.objects.filter(pk=user.pk).update(is_active=False)
    _keep_a_root()
    sessions.end_all(user)
    user.onetimelink_set.all().delete()
    note(by, "user.shut-out", user.email, request=request)


@transaction.atomic
def let_in(user: User, *, by: str, request: HttpRequest | None = None) -> None:
    """Let a user in again who was shut out."""
    User.objects.filter(pk=user.pk).update(is_active=True)
    note(by, "user.let-in", user.email, request=request)


@transaction.atomic
def new_link(user: User, *, by: str, request: HttpRequest | None = None) -> str:
    """Make a link for a user who can't sign in; the password he has stays until it is used."""
    purpose = Purpose.RESET if user.has_usable_password() else Purpose.INVITATION
    note(by, "user.link", user.email, after=purpose, request=request)
    return links.make(user, purpose)


@transaction.atomic
def forget_factors(user: User, *, by: str, request: HttpRequest | None = None) -> list[str]:
    """Take a user's second factors away, who has lost them, and give their kinds.

    His password alone then opens.
    """
    kinds = sorted(Authenticator.objects.filter(user_id=user.pk).values_list("type", flat=True))
    Authenticator.objects.filter(user_id=user.pk).delete()
    sessions.end_all(user)
    note(by, "user.forget-factors", user.email, before="\n".join(kinds), request=request)
    return kinds


def rights_of(user: User) -> Rights:
    """Give the rights a user has."""
    return Rights(Role(user.role), user.tables)


def _keep_a_root() -> None:
    if not User.objects.ruling().exists():
        raise LastRootError
