"""The forms of the accounts."""

import re
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.reauthentication import reauthenticate_by_password
from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from billclock.accounts.models import Role, User
from billclock.accounts.users import Rights

TABLE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
"""What a crontab's name is made of: a system user's name."""


def _new_password() -> forms.CharField:
    return forms.CharField(
        label=_("New password"),
        strip=False,
        max_length=4096,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("At least 10 characters. A sentence is easy to keep in mind."),
    )


class SetupForm(forms.Form):
    """Asks the first root user for an e-mail address and a password; never shows one again."""

    email = forms.EmailField(
        label=_("E-mail address"),
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}),
    )
    password = _new_password()
    password.label = _("Password")

    def clean(self) -> None:
        """Judge the password by Django's validators, in the light of the address."""
        email, password = self.cleaned_data.get("email"), self.cleaned_data.get("password")
        if email and password:
            _judge(self, "password", password, User(email=email))


class ChoosePasswordForm(forms.Form):
    """Asks the user of a one-time link for a password."""

    password = _new_password()

    def __init__(self, user: User, *given: Any) -> None:
        """Ask `user`, in the light of whose address the password is judged."""
        super().__init__(*given)
        self._user = user

    def clean(self) -> None:
        """Judge the password by Django's validators."""
        if self.cleaned_data.get("password"):
            _judge(self, "password", self.cleaned_data["password"], self._user)


class ConfirmByPasswordForm(forms.Form):
    """Asks a user who is signed in for his password once more."""

    password = forms.CharField(
        label=_("Password"),
        strip=False,
        max_length=4096,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": True}),
    )

    def __init__(self, user: User, request: HttpRequest, *given: Any) -> None:
        """Ask `user`; wrong answers count against the limits of signing in."""
        super().__init__(*given)
        self._user, self._request = user, request

    def save(self) -> None:
        """Write down that he showed who he is."""
        reauthenticate_by_password(self._request)

    def clean_password(self) -> str:
        """Compare, as signing in does."""
        given: str = self.cleaned_data["password"]
        adapter = get_adapter()
        found = adapter.authenticate(self._request, email=self._user.email, password=given)
        if found is None or found.pk != self._user.pk:
            raise ValidationError(_now("This is not your password."))
        return given


class ForgottenForm(forms.Form):
    """Asks for the address of who can't sign in."""

    email = forms.EmailField(
        label=_("E-mail address"),
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}),
    )


class RightsForm(forms.Form):
    """A user's role and tables."""

    role = forms.ChoiceField(label=_("Role"), choices=Role.choices, widget=forms.RadioSelect)
    tables = forms.CharField(
        label=_("Crontabs open to this user"),
        required=False,
        max_length=2000,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=_("Names with blanks between. Empty: all of them."),
    )

    def clean_tables(self) -> str:
        """Read the names; each once, in their order."""
        names = list(dict.fromkeys(self.cleaned_data["tables"].replace(",", " ").split()))
        for name in names:
            if not TABLE_NAME.fullmatch(name):
                raise ValidationError(_now("%r is not the name of a crontab.") % name)
        return " ".join(names)

    @property
    def rights(self) -> Rights:
        """Give what was chosen."""
        return Rights(Role(self.cleaned_data["role"]), self.cleaned_data["tables"])


class InviteForm(RightsForm):
    """A new user's address, role and tables."""

    email = forms.EmailField(
        label=_("E-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off", "autofocus": True}),
    )
    field_order = ("email", "role", "tables")


def _judge(form: forms.Form, field: str, password: str, user: User) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        form.add_error(field, error)
