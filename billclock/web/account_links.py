"""Doors for who can't sign in: asking for a link, and the link by which to choose a password."""

from allauth.core import ratelimit
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from billclock.accounts import links
from billclock.accounts.audit import note
from billclock.accounts.forms import ChoosePasswordForm, ForgottenForm
from billclock.accounts.models import Purpose, User
from billclock.web import account_mail


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def forgotten(request: HttpRequest) -> HttpResponse:
    """Send a link to the address given, if it is a user's; the answer is the same if it is not."""
    form = ForgottenForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        email = form.cleaned_data["email"].lower()
        limited = ratelimit.consume_or_429(request, action="reset_password", key=email)
        if limited is not None:
            return limited  # type: ignore[no-any-return]
        user = User.objects.filter(email=email, is_active=True).first()
        if user is not None and account_mail.can_send():
            note(email, "password.forgotten", email, request=request)
            account_mail.send_link(user, Purpose.RESET, links.make(user, Purpose.RESET))
        return redirect("account_forgotten_sent")
    context = {"form": form, "can_send": account_mail.can_send()}
    return render(request, "account/forgotten.html", context)


@login_not_required
@require_http_methods(["GET", "HEAD"])
def sent(request: HttpRequest) -> HttpResponse:
    """Say that a link was sent if the address is known."""
    return render(request, "account/sent.html")


@login_not_required
@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def choose_password(request: HttpRequest, token: str) -> HttpResponse:
    """Have the user of a link choose a password; he then signs in with it, and a second factor."""
    try:
        link = links.find(token)
        form = ChoosePasswordForm(link.user, request.POST if request.method == "POST" else None)
        if not form.is_valid():
            return render(request, "account/choose.html", {"form": form, "link": link})
        user = links.use(token, form.cleaned_data["password"], request)
    except links.LinkError:
        return render(request, "account/choose.html", {"useless": True}, status=410)
    if link.purpose == Purpose.RESET:
        account_mail.send_news(user, account_mail.PASSWORD_CHANGED)
    messages.success(request, _("Your password is set: sign in with it."))
    return redirect("account_login")
