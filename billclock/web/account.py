"""A user's own page: how he signs in, where he is signed in; and showing again who he is."""

from typing import Any

from allauth.core import ratelimit
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.forms import ReauthenticateWebAuthnForm
from allauth.mfa.webauthn.internal.auth import begin_authentication
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from billclock.accounts import freshness, sessions
from billclock.accounts.audit import note
from billclock.accounts.entering import AgainForm
from billclock.accounts.forms import ConfirmByPasswordForm
from billclock.accounts.models import Session, User
from billclock.web import fresh
from billclock.web.access import signed_in
from billclock.web.account_device import Device, device
from billclock.web.rows import When, when
from billclock.web.times import Wall

Kinds = Authenticator.Type


class Line:
    """One session in words."""

    def __init__(self, session: Session, current: str | None, wall: Wall) -> None:
        self.handle = session.handle
        self.current = session.session_key == current
        self.device: Device = device(session.agent)
        self.address = session.address
        self.since: When | None = when(session.since, wall)
        self.seen: When | None = when(session.seen, wall)


@never_cache
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Show how the user signs in, and where he is signed in."""
    user = signed_in(request)
    wall = Wall.here()
    factors = list(Authenticator.objects.filter(user_id=user.pk).order_by("created_at"))
    by_kind = {factor.type: factor for factor in factors}
    codes = by_kind.get(Kinds.RECOVERY_CODES)
    context = {
        "totp": by_kind.get(Kinds.TOTP),
        "passkeys": [
            {"factor": f, "made": when(f.created_at, wall), "used": when(f.last_used_at, wall)}
            for f in factors
            if f.type == Kinds.WEBAUTHN
        ],
        "codes_left": len(codes.wrap().get_unused_codes()) if codes else None,
        "by_name": _is_name(request.get_host()),
        "lines": [Line(s, request.session.session_key, wall) for s in sessions.of(user)],
    }
    return render(request, "account/page.html", context)


@require_POST
def end_session(request: HttpRequest) -> HttpResponse:
    """End one of the user's sessions, or all but this one."""
    user = signed_in(request)
    handle = request.POST.get("handle", "")
    if handle:
        ended = sessions.end(user, handle)
        count = int(ended is not None)
    else:
        count = sessions.end_all(user, but=request.session)
    if count:
        note(user.email, "session.end", user.email, before=str(count), request=request)
    messages.success(request, _("What was signed in there is signed out."))
    return redirect("account")


@never_cache
@sensitive_post_parameters("password", "code")
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest) -> HttpResponse:
    """Ask the user to show who he is, then lead him back to his form or page.

    By his second factor; by his password where he has none.
    """
    user = signed_in(request)
    limited = ratelimit.consume_or_429(request, action="reauthenticate", user=user)
    if limited is not None:
        return limited  # type: ignore[no-any-return]
    offered = _offered(request, user)
    sent = next((form for form in offered.values() if form.is_bound), None)
    if sent is not None and sent.is_valid():
        sent.save()
        return HttpResponseRedirect(_onward(request))
    context: dict[str, Any] = {
        **offered,
        "nothing": not offered,
        "kept": bool(request.GET.get("form")),
    }
    if "credential_form" in offered:
        context["options"] = begin_authentication(user)
    return render(request, "account/confirm.html", context)


@never_cache
@require_safe
def resume(request: HttpRequest) -> HttpResponse:
    """Give the user the form back that he had sent before he was asked, to send it now.

    It may hold a secret he typed: whoever has not shown who he is doesn't see it.
    """
    name = request.GET.get("form", "")
    found = fresh.kept(request, name)
    if found is not None and not freshness.is_fresh(request.session):
        return redirect(f"{reverse('account_reauthenticate')}?{urlencode({'form': name})}")
    if found is None:
        messages.info(request, _("The form is no longer kept: what it changes was not changed."))
        return redirect("jobs")
    return render(request, "account/resume.html", {"form": found})


def _offered(request: HttpRequest, user: User) -> dict[str, Any]:
    """Make the forms by which a user can show who he is; the one that was sent is bound.

    There is none for who has neither a password nor a second factor.
    """
    kinds = set(Authenticator.objects.filter(user_id=user.pk).values_list("type", flat=True))
    if not kinds and not user.has_usable_password():
        return {}
    if not kinds:
        sent = request.POST if request.method == "POST" else None
        return {"password_form": ConfirmByPasswordForm(user, request, sent)}
    found: dict[str, Any] = {}
    if kinds - {Kinds.WEBAUTHN}:
        sent = request.POST if "code" in request.POST else None
        found["code_form"] = AgainForm(user=user, data=sent)
    if Kinds.WEBAUTHN in kinds:
        sent = request.POST if "credential" in request.POST else None
        found["credential_form"] = ReauthenticateWebAuthnForm(user=user, data=sent)
    return found


def _is_name(host: str) -> bool:
    """Tell a host's name from an IP address, to which no passkey can be bound (WebAuthn, 5.1.3)."""
    name = host.partition(":")[0]
    return not host.startswith("[") and not name.replace(".", "").isdecimal()


def _onward(request: HttpRequest) -> str:
    name = request.GET.get("form")
    if name:
        return f"{reverse('account_resume')}?{urlencode({'form': name})}"
    onward = request.GET.get("next", "")
    if url_has_allowed_host_and_scheme(onward, {request.get_host()}):
        return onward
    return reverse("account")
