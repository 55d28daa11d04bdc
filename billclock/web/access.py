"""Who asks, for which crontab, and whether he may: else a page that names the right he lacks."""

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _

from billclock.accounts.models import Role, User
from billclock.web import crontabs
from billclock.web.crontabs import Reading


def signed_in(request: HttpRequest) -> User:
    """Give the user of a request that the login middleware has let through."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def may_edit(user: User) -> bool:
    """Tell whether he may change the tables he sees."""
    return user.role == Role.ROOT


def open_to(user: User, name: str) -> Reading:
    """Read a table as a user may: who may not edit it sees stars for the secrets in it."""
    reading = crontabs.load(name)
    return reading if may_edit(user) else crontabs.veiled(reading)


def may_run(user: User) -> bool:
    """Tell whether he may run, stop and pause what he sees."""
    return user.role in (Role.ROOT, Role.OPERATOR)


def table_of(request: HttpRequest) -> str:
    """Give the table that a request names, else his first; Http404 for one he does not see."""
    names = crontabs.names(signed_in(request))
    if not names:
        raise PermissionDenied(_("No crontab is open to this user: ask a root user."))
    name = request.POST.get("table") or request.GET.get("table", names[0])
    if name not in names:
        raise Http404(name)
    return name


def editor(request: HttpRequest) -> User:
    """Give the user, who may edit; PermissionDenied names the right that he lacks."""
    user = signed_in(request)
    if not may_edit(user):
        raise PermissionDenied(
            _("Changing crontabs needs the role Root; yours is %s.") % user.get_role_display()
        )
    return user


def operator(request: HttpRequest) -> User:
    """Give the user, who may run and pause; PermissionDenied names the right that he lacks."""
    user = signed_in(request)
    if not may_run(user):
        raise PermissionDenied(
            _("Running and pausing jobs needs the role Operator; yours is %s.")
            % user.get_role_display()
        )
    return user


def for_all(user: User) -> None:
    """Raise PermissionDenied unless every crontab is open to a user, as what he asks concerns."""
    if user.tables.split():
        raise PermissionDenied(
            _("This concerns every crontab, and not all of them are open to you.")
        )
