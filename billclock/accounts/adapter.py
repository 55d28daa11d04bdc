"""What django-allauth asks of us: who may come in, which codes are good, what is kept secret."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.http import HttpRequest

from billclock.accounts import freshness
from billclock.accounts.audit import note
from billclock.accounts.models import User
from billclock.accounts.sealing import seal, unseal

PURPOSE = "second factor"
SILENT = {"account/messages/logged_in.txt", "account/messages/logged_out.txt"}


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Users are made by the set-up link and by root users alone."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Tell that there is no sign-up."""
        del request
        return False

    def is_reauthentication_required(self, *, app: str, **_kwargs: Any) -> bool:
        """Tell whether a user must show who he is before he changes how he signs in."""
        del app
        return not freshness.is_fresh(self.request.session)

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """Write down a wrong password of somebody we know; rate limits keep these few."""
        user = User.objects.filter(email=str(credentials.get("email", "")).lower()).first()
        if user is not None:
            note(user.email, "sign-in.refused", user.email, request=request)

    def add_message(
        self,
        request: HttpRequest,
        level: int,
        message_template: str | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        """Say what allauth wants said, but not what a user sees anyway."""
        if message_template not in SILENT:
            super().add_message(request, level, message_template, *args, **kwargs)


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Secrets of second factors are kept encrypted, so that a copied database opens nothing."""

    def get_totp_issuer(self) -> str:
        """Name us in the user's app."""
        return "Billclock"

    def encrypt(self, text: str) -> str:
        """Encrypt with a key made from SECRET_KEY."""
        return seal(PURPOSE, text)

    def decrypt(self, encrypted_text: str) -> str:
        """Decrypt; with another SECRET_KEY than it was encrypted with, no code is right."""
        text = unseal(PURPOSE, encrypted_text)
        if text is None:
            raise self.validation_error("incorrect_code")
        return text
