"""`billclock user`: who may sign in, and ways back in for somebody who can't any more."""

from argparse import Namespace
from difflib import get_close_matches
from typing import TYPE_CHECKING

from billclock import clock
from billclock.commands.errors import DONE, CommandError, UsageError
from billclock.commands.start import database, who

if TYPE_CHECKING:
    from billclock.accounts.models import User


def run(args: Namespace) -> int:
    """List the users, or help one of them; what is done is in the audit trail."""
    database()
    if args.setup:
        return _setup()
    if not (args.link or args.forget_factors):
        return _list(args.email)
    if not args.email:
        raise UsageError("name the user: billclock user EMAIL --link")
    user = _find(args.email)
    return _link(user) if args.link else _forget_factors(user)


def _setup() -> int:
    from billclock.accounts.setup import setup_link

    link = setup_link()
    if link is None:
        raise CommandError(
            "a root user exists: billclock user lists them, billclock user EMAIL --link lets one in"
        )
    print(f"Make the first user here, once and within 24 hours: {link}")
    return DONE


def _link(user: "User") -> int:
    from billclock.accounts import links, users

    if not user.is_active:
        raise CommandError(f"{user.email} is shut out: another root user lets him in, under Users")
    link = users.new_link(user, by=who())
    until = links.find(link.rpartition("/")[2]).expires_at.astimezone(clock.server_zone())
    print(f"{user.email} chooses a password here, once and until {until:%Y-%m-%d %H:%M}: {link}")
    return DONE


def _forget_factors(user: "User") -> int:
    from billclock.accounts import users

    lost = users.forget_factors(user, by=who())
    told = f"{', '.join(lost)} forgotten, sessions ended" if lost else "there was no second factor"
    print(f"{user.email}: {told}; a password alone opens now")
    return DONE


def _list(email: str | None) -> int:
    from allauth.mfa.models import Authenticator

    from billclock.accounts.models import User

    shown = [_find(email)] if email else list(User.objects.order_by("email"))
    for user in shown:
        kinds = set(Authenticator.objects.filter(user_id=user.pk).values_list("type", flat=True))
        words = [user.role, user.tables or "all tables", *sorted(kinds)]
        words += [] if user.is_active else ["shut out"]
        words += [] if user.has_usable_password() else ["no password yet"]
        print(f"{user.email}  {' · '.join(words)}")
    if not shown:
        print("There is no user yet: billclock user --setup gives the link that makes the first.")
    return DONE


def _find(email: str) -> "User":
    from billclock.accounts.models import User

    # compared here: words of a command line may be what no database takes
    known = {user.email: user for user in User.objects.all()}
    found = known.get(email.lower())
    if found is None:
        near = get_close_matches(email.lower(), known, 1)
        meant = f"did you mean {near[0]}?" if near else "billclock user lists them"
        raise CommandError(f"there is no user {email!r}; {meant}")
    return found
