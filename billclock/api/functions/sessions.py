"""Sessions as functions: a key with which another program begins a user's session, once."""

from typing import Annotated

from billclock.accounts.models import User
from billclock.api import keys
from billclock.api.documents import Change, Document, Kind
from billclock.api.parameters import FunctionError
from billclock.api.registry import Actor, function


@function("session.newkey", title="Open a session by a key", kind=Kind.ACTION, whole=True)
def new_key(
    _actor: Actor,
    *,
    username: Annotated[str, "whose session: an e-mail address"],
    key: Annotated[str, "at least 16 random characters"],
) -> Document:
    """Take a key that begins one session of a user: func=auth&username=…&key=… within 10 minutes.

    Whoever may do this may do all that any user may: it asks for root and for every table.
    """
    user = User.objects.filter(email=username.strip().lower(), is_active=True).first()
    if user is None:
        raise FunctionError("missing", "username", username, f"there is no user {username!r}")
    try:
        keys.keep_once(user, key)
    except ValueError as error:
        raise FunctionError("value", "key", "", str(error)) from None
    changes = [Change(user.email, after="a key for one session")]
    return Document("session.newkey", Kind.ACTION, changes=changes)
