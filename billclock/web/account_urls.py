"""The addresses of signing in, of one's own account, of users and of the audit trail.

Names with account_ and mfa_ are those by which allauth finds its own views.
"""

from allauth.account.views import account_inactive, login, logout, password_change, password_set
from allauth.mfa.base.views import authenticate
from allauth.mfa.recovery_codes.views import generate_recovery_codes, view_recovery_codes
from allauth.mfa.totp.views import activate_totp, deactivate_totp
from allauth.mfa.webauthn.views import (
    add_webauthn,
    edit_webauthn,
    login_webauthn,
    remove_webauthn,
)
from django.contrib.auth.decorators import login_not_required
from django.urls import URLPattern, path

from billclock.web import account, account_links, account_users, audit
from billclock.web.fresh import fresh
from billclock.web.policy import forgotten


def patterns() -> list[URLPattern]:
    """Give them all."""
    return [*_entrance(), *_own(), *_factors(), *_users()]


def _entrance() -> list[URLPattern]:
    return [
        path("sign-in", login, name="account_login"),
        path("sign-in/code", authenticate, name="mfa_authenticate"),
        path("sign-in/passkey", login_not_required(login_webauthn), name="mfa_login_webauthn"),
        path("sign-out", forgotten(logout), name="account_logout"),
        path("inactive", account_inactive, name="account_inactive"),
        path("forgotten", account_links.forgotten, name="account_reset_password"),
        path("forgotten/sent", account_links.sent, name="account_forgotten_sent"),
        path("password/<str:token>", account_links.choose_password, name="choose_password"),
    ]


def _own() -> list[URLPattern]:
    return [
        path("account", account.page, name="account"),
        path("account/confirm", account.confirm, name="account_reauthenticate"),
        path("account/resume", account.resume, name="account_resume"),
        path("account/sessions/end", account.end_session, name="session_end"),
        path("account/password", fresh(password_change), name="account_change_password"),
        path("account/password/first", fresh(password_set), name="account_set_password"),
    ]


def _factors() -> list[URLPattern]:
    return [
        path("account/factors", account.page, name="mfa_index"),
        path("account/app", fresh(activate_totp), name="mfa_activate_totp"),
        path("account/app/off", fresh(deactivate_totp), name="mfa_deactivate_totp"),
        path("account/codes", view_recovery_codes, name="mfa_view_recovery_codes"),
        path("account/codes/new", fresh(generate_recovery_codes),
             name="mfa_generate_recovery_codes"),
        path("account/passkeys", account.page, name="mfa_list_webauthn"),
        path("account/passkeys/add", fresh(add_webauthn), name="mfa_add_webauthn"),
        path("account/passkeys/<int:pk>", fresh(edit_webauthn), name="mfa_edit_webauthn"),
        path("account/passkeys/<int:pk>/remove", fresh(remove_webauthn),
             name="mfa_remove_webauthn"),
    ]  # fmt: skip


def _users() -> list[URLPattern]:
    return [
        path("users", account_users.listing, name="users"),
        path("users/invite", account_users.invite, name="user_invite"),
        path("users/<int:user>", account_users.detail, name="user"),
        path("users/<int:user>/shut-out", account_users.shut_out, name="user_shut_out"),
        path("users/<int:user>/let-in", account_users.let_in, name="user_let_in"),
        path("users/<int:user>/link", account_users.new_link, name="user_link"),
        path("users/<int:user>/factors", account_users.forget_factors, name="user_factors"),
        path("audit", audit.page, name="audit"),
        path("audit.csv", audit.csv, name="audit_csv"),
        path("audit/<int:row>", audit.detail, name="audit_row"),
    ]
