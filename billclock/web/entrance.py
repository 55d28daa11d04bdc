"""The doors that stand open to everybody: the set-up link, the theme, the language."""

from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST
from django.views.i18n import set_language

from billclock.accounts import setup
from billclock.accounts.forms import SetupForm
from billclock.web.frame import THEME_COOKIE, THEMES

A_YEAR = 365 * 24 * 3600


@login_not_required
@never_cache
@sensitive_post_parameters("password")
def first_user(request: HttpRequest, token: str) -> HttpResponse:
    """Make the first root user and sign him in; a link that is no use says why."""
    form = SetupForm(request.POST or None)
    try:
        setup.check(token)
        if request.method != "POST" or not form.is_valid():
            return render(request, "entrance/setup.html", {"form": form})
        user = setup.make_first_user(
            token, form.cleaned_data["email"], form.cleaned_data["password"], get_language() or "en"
        )
    except setup.SetupError as error:
        return render(request, "entrance/setup.html", {"error": error}, status=410)
    login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
    return HttpResponseRedirect("/")  # the jobs, which say how one begins


@login_not_required
@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Keep the chosen theme in a cookie and go back."""
    back = request.POST.get("next", "/")
    if not url_has_allowed_host_and_scheme(back, {request.get_host()}):
        back = "/"
    response = HttpResponseRedirect(back)
    chosen = request.POST.get("theme", "")
    if chosen in THEMES:
        response.set_cookie(
            THEME_COOKIE,
            chosen,
            max_age=A_YEAR,
            httponly=True,
            samesite="Lax",
            secure=settings.HTTPS,
        )
    return response


language = login_not_required(set_language)
