"""A user's keys for programs: the list, a new one shown once, and the end of one."""

from datetime import timedelta

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from billclock.accounts import audit
from billclock.accounts.models import Role, User
from billclock.api import keys
from billclock.api.models import ApiKey, Use
from billclock.api.registry import RIGHTS
from billclock.web import account_mail
from billclock.web.access import signed_in
from billclock.web.fresh import fresh
from billclock.web.rows import When, when
from billclock.web.times import Wall

DAYS = (30, 90, 365)
FOR_EVER = "0"


def _lengths() -> list[tuple[str, str]]:
    """Say how long a key may last, in the reader's language: asked again for each form."""
    days = [(str(n), ngettext("%(n)d day", "%(n)d days", n) % {"n": n}) for n in DAYS]
    return [*days, (FOR_EVER, _("never"))]


class KeyForm(forms.Form):
    """What a new key is called, what it may do at most, and how long."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=gettext_lazy("The program that will use it."),
    )
    role = forms.ChoiceField(label=gettext_lazy("Role at most"))
    days = forms.ChoiceField(
        label=gettext_lazy("Ends after"),
        choices=_lengths,
        initial="90",
    )

    def __init__(self, user: User, *given: object) -> None:
        """Offer the roles up to the user's own."""
        super().__init__(*given)  # type: ignore[arg-type]
        own = RIGHTS[Role(user.role)]
        offered = [role for role in reversed(Role) if RIGHTS[role] <= own]
        self.fields["role"].choices = [(r.value, r.label) for r in offered]  # type: ignore[attr-defined]

    @property
    def lasting(self) -> timedelta | None:
        """Give how long the key is to last; None for ever."""
        days = int(self.cleaned_data["days"])
        return timedelta(days=days) if days else None


class Line:
    """One key in words."""

    def __init__(self, key: ApiKey, wall: Wall) -> None:
        self.key = key
        self.is_session = key.use == Use.SESSION
        self.made: When | None = when(key.made_at, wall)
        self.used: When | None = when(key.used_at, wall)
        self.ends: When | None = when(key.expires_at, wall)


@fresh
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    """Show the user's keys; a POST makes one and shows it, this once, in its own answer.

    There is no redirect behind it: the key would have to be kept somewhere in between.
    """
    user = signed_in(request)
    form = KeyForm(user, request.POST if request.method == "POST" else None)
    token = ""
    if form.is_bound and form.is_valid():
        name, role = form.cleaned_data["name"], Role(form.cleaned_data["role"])
        made, token = keys.make(user, name, role, form.lasting)
        audit.note(user.email, "key.make", f"{made.prefix}… {name}", after=role, request=request)
        account_mail.send_news(user, account_mail.KEY_MADE)
        form = KeyForm(user)
    wall = Wall.here()
    lines = [Line(key, wall) for key in keys.of(user)]
    return render(request, "keys/page.html", {"form": form, "token": token, "lines": lines})


@require_POST
def revoke(request: HttpRequest, key: int) -> HttpResponse:
    """End one of the user's keys."""
    user = signed_in(request)
    ended = keys.revoke(user, key)
    if ended is None:
        raise Http404(_("There is no such key."))
    subject = f"{ended.prefix}… {ended.name}"
    audit.note(user.email, "key.revoke", subject, before=ended.role, request=request)
    messages.success(request, _("The key was revoked: it opens nothing any more."))
    return redirect("keys")
