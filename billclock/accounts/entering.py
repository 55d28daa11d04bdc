"""The forms at the door: a name and a password, then a code, or a passkey; typing begins there."""

from typing import Any

from allauth.account.forms import LoginForm
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.forms import LoginWebAuthnForm
from django import forms

LONGEST_ANSWER = 1 << 16  # letters


class SignInForm(LoginForm):  # type: ignore[misc]
    """E-mail address and password, as a browser's keeper of passwords knows them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Take what the page gives."""
        super().__init__(*args, **kwargs)
        _typed_first(self.fields["login"], autocomplete="username")
        password = self.fields["password"]
        password.help_text = ""  # the page has its own link for who forgot it
        password.widget.attrs.pop("placeholder", None)


class SecondStepForm(AuthenticateForm):  # type: ignore[misc]
    """The code of the second step."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Take what the page gives."""
        super().__init__(*args, **kwargs)
        _typed_first(self.fields["code"], inputmode="numeric")


class AgainForm(ReauthenticateForm):  # type: ignore[misc]
    """The code that is asked for again before something grave."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Take what the page gives."""
        super().__init__(*args, **kwargs)
        _typed_first(self.fields["code"], inputmode="numeric")


class Answer(forms.JSONField):
    """What a browser says of a passkey: JSON of some kilobytes, and nothing that is none."""

    def to_python(self, value: Any) -> Any:
        """Read it; raise ValidationError for what can't be read, however it is made."""
        try:
            if len(str(value)) <= LONGEST_ANSWER:
                return super().to_python(value)
        except (RecursionError, ValueError):  # nested without end, a number of thousands of digits
            pass
        raise get_adapter().validation_error("incorrect_code")


class PasskeyForm(LoginWebAuthnForm):  # type: ignore[misc]
    """A passkey's answer as who is not signed in sends it: it opens, or it is refused."""

    credential = Answer(widget=forms.HiddenInput)

    def clean_credential(self) -> Authenticator:
        """Find the passkey whose answer it is; raise ValidationError.

        The libraries take for granted that each part is what a browser makes it.
        """
        try:
            return super().clean_credential()
        except (AttributeError, LookupError, TypeError, ValueError):
            raise get_adapter().validation_error("incorrect_code") from None


def _typed_first(field: forms.Field, **attributes: str) -> None:
    """Have typing begin in a field whose label says what it is: a placeholder says it twice."""
    field.widget.attrs |= {"autofocus": True, **attributes}
    field.widget.attrs.pop("placeholder", None)
