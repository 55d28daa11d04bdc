"""Users, for root users to whom every crontab is open: the list, one of them, a new one."""

from collections.abc import Callable

from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from billclock.accounts import sessions, users
from billclock.accounts.forms import InviteForm, RightsForm
from billclock.accounts.models import Purpose, User
from billclock.web import account_mail, crontabs
from billclock.web.access import signed_in
from billclock.web.fresh import fresh
from billclock.web.rows import When, when
from billclock.web.times import Wall

SECOND_FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
Act = Callable[..., object]


class Line:
    """One user in words."""

    def __init__(self, user: User, factors: set[int], wall: Wall) -> None:
        self.user = user
        self.protected = user.pk in factors
        self.invited = not user.has_usable_password()
        self.last: When | None = when(user.last_login, wall)


@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """Show all users: two queries, however many there are."""
    ruler(request)
    factors = Authenticator.objects.filter(type__in=SECOND_FACTORS)
    protected = set(factors.values_list("user_id", flat=True))
    wall = Wall.here()
    lines = [Line(user, protected, wall) for user in User.objects.order_by("-is_active", "email")]
    return render(request, "users/list.html", {"lines": lines})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@fresh
def invite(request: HttpRequest) -> HttpResponse:
    """Make a user and his link, which is mailed, and shown this once."""
    by = ruler(request)
    form = InviteForm(_sent(request), initial={"role": "viewer"})
    if form.is_valid():
        email = form.cleaned_data["email"]
        try:
            made, link = users.invite(email, form.rights, by=by, request=request)
        except users.TakenError:
            form.add_error("email", _("There is a user of this address already."))
        else:
            return _show_link(request, made, Purpose.INVITATION, link)
    return render(request, "users/invite.html", {"form": form, "names": crontabs.names(by)})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@fresh
def detail(request: HttpRequest, user: int) -> HttpResponse:
    """Show one user; a POST changes his role and tables."""
    by = ruler(request)
    found = get_object_or_404(User, pk=user)
    rights = {"role": found.role, "tables": found.tables}
    form = RightsForm(_sent(request), initial=rights)
    if form.is_valid():
        try:
            users.change(found, form.rights, by=by, request=request)
        except users.LastRootError:
            form.add_error("role", last_root())
        else:
            messages.success(request, _("The rights of %s are changed.") % found.email)
            return redirect("users")
    wall = Wall.here()
    factors = set(Authenticator.objects.filter(user_id=found.pk).values_list("type", flat=True))
    context = {
        "form": form,
        "line": Line(found, {found.pk} if factors & set(SECOND_FACTORS) else set(), wall),
        "sessions": len(sessions.of(found)),
        "names": crontabs.names(by),
        "itself": found.pk == by.pk,
    }
    return render(request, "users/detail.html", context)


@require_POST
@fresh
def shut_out(request: HttpRequest, user: int) -> HttpResponse:
    """Let a user in no more."""
    return _act(request, user, users.shut_out, _("%s is shut out and signed out everywhere."))


@require_POST
@fresh
def let_in(request: HttpRequest, user: int) -> HttpResponse:
    """Let a user in again."""
    return _act(request, user, users.let_in, _("%s may sign in again."))


@require_POST
@fresh
def forget_factors(request: HttpRequest, user: int) -> HttpResponse:
    """Take the second factors away of a user who has lost them."""
    told = _("%s signs in by the password alone, until a second factor is set up again.")
    return _act(request, user, users.forget_factors, told)


@never_cache
@require_POST
@fresh
def new_link(request: HttpRequest, user: int) -> HttpResponse:
    """Make a user a link to choose a password by; it is mailed, and shown this once."""
    by = ruler(request)
    found = get_object_or_404(User, pk=user, is_active=True)
    link = users.new_link(found, by=by.email, request=request)
    purpose = Purpose.RESET if found.has_usable_password() else Purpose.INVITATION
    return _show_link(request, found, purpose, link)


def ruler(request: HttpRequest) -> User:
    """Give the user, who may make and change users; PermissionDenied names what he lacks."""
    user = signed_in(request)
    if not user.rules:
        raise PermissionDenied(
            _("Users are for those whose role is Root and to whom every crontab is open.")
        )
    return user


def last_root() -> str:
    """Say why the last root user stays one."""
    return _("This is the last user who can make and change users: give another one that right.")


def _sent(request: HttpRequest) -> QueryDict | None:
    """Give a form that was sent, even if empty."""
    return request.POST if request.method == "POST" else None


def _act(request: HttpRequest, user: int, act: Act, told: str) -> HttpResponse:
    by = ruler(request)
    found = get_object_or_404(User, pk=user)
    try:
        act(found, by=by.email, request=request)
    except users.LastRootError:
        messages.error(request, last_root())
    else:
        messages.success(request, told % found.email)
    return redirect("user", user=user)


def _show_link(request: HttpRequest, user: User, purpose: Purpose, link: str) -> HttpResponse:
    """Show a link in the answer itself: behind a redirect it would have to be kept meanwhile."""
    account_mail.send_link(user, purpose, link)
    context = {"invited": user, "link": link, "mailed": account_mail.can_send()}
    return render(request, "users/link.html", context)
