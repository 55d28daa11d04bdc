"""Letters about accounts: a link to choose a password by, and news of what changed."""

from email.utils import formataddr, parseaddr
from secrets import token_hex
from socket import getfqdn
from typing import Any

from allauth.account.signals import password_changed
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added, authenticator_removed
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, override

from billclock import clock
from billclock.accounts.models import Purpose, User
from billclock.outbox.channels import Letter
from billclock.outbox.messages import put

PASSWORD_CHANGED = gettext_noop("Your password was changed.")
FACTOR_ADDED = gettext_noop("A second factor was added to your account.")
FACTOR_REMOVED = gettext_noop("A second factor was removed from your account.")
KEY_MADE = gettext_noop("A key for programs was made in your name. It opens until it is revoked.")


def listen() -> None:
    """Send news of what allauth changes; called once, when the app is ready."""
    password_changed.connect(_password_changed)
    authenticator_added.connect(_factor_added)
    authenticator_removed.connect(_factor_removed)


def can_send() -> bool:
    """Tell whether a mail server is set."""
    return bool(settings.SMTP)


def send_link(user: User, purpose: Purpose, link: str) -> None:
    """Send a user his one-time link."""
    with override(user.language):
        if purpose is Purpose.INVITATION:
            subject = _("You are invited to Billclock")
            body = _("Choose a password here, within 3 days. The link works once.")
        else:
            subject = _("Choose a new password for Billclock")
            body = _(
                "Choose a new password here, within an hour. The link works once. If it was not "
                "you who asked, there is nothing to do: nothing changes until it is used."
            )
        _send(user, subject, f"{body}\n\n{link}\n")


def send_news(user: User, news: str) -> None:
    """Tell a user what changed in the way he signs in, so that he notices if it was not he."""
    with override(user.language):
        body = _("If this was not you, ask a root user to shut the account, at once.")
        _send(user, _("Your Billclock account"), f"{_(news)}\n\n{body}\n{settings.PUBLIC_URL}\n")


def _password_changed(user: User, **_kwargs: Any) -> None:
    send_news(user, PASSWORD_CHANGED)


def _factor_added(user: User, authenticator: Authenticator, **_kwargs: Any) -> None:
    if authenticator.type != Authenticator.Type.RECOVERY_CODES:  # these come with another
        send_news(user, FACTOR_ADDED)


def _factor_removed(user: User, authenticator: Authenticator, **_kwargs: Any) -> None:
    if authenticator.type != Authenticator.Type.RECOVERY_CODES:
        send_news(user, FACTOR_REMOVED)


def _send(user: User, subject: str, body: str) -> None:
    if not can_send():
        return  # a letter that waited until somebody sets a mail server would be stale
    name, address = parseaddr(settings.MAIL_FROM)
    put(
        Letter(
            channel="mail",
            dedupe_key=f"account:{token_hex(16)}",
            recipients=(user.email,),
            at=clock.now(),
            sender=formataddr((name or "Billclock", address or f"root@{getfqdn()}")),
            subject=subject,
            body=body,
            headers=(("Auto-Submitted", "auto-generated"),),
            group=f"account:{user.pk}",
        )
    )
