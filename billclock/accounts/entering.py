"""The forms at the door: a name and a password, then a code; each begins where one types."""

from typing import Any

from allauth.account.forms import LoginForm
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from django import forms


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


def _typed_first(field: forms.Field, **attributes: str) -> None:
    """Have typing begin in a field whose label says what it is: a placeholder says it twice."""
    field.widget.attrs |= {"autofocus": True, **attributes}
    field.widget.attrs.pop("placeholder", None)
