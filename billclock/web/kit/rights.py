"""Who sees a section and who changes it: by role, and by whether every crontab is open to him."""

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils.translation import gettext as _

from billclock.accounts.models import Role, User
from billclock.api.registry import RIGHTS
from billclock.web.access import for_all, signed_in
from billclock.web.kit.section import Section


def reaches(user: User, role: Role) -> bool:
    """Tell whether a user's role is at least this one."""
    return RIGHTS[Role(user.role)] >= RIGHTS[role]


def sees(user: User, section: Section) -> bool:
    """Tell whether a section is open to a user."""
    return reaches(user, section.sees) and not (section.for_all and user.tables.split())


def acts(user: User, section: Section, role: Role | None = None) -> bool:
    """Tell whether a user may change a section, or do what needs a role of its own."""
    may = reaches(user, section.edits if role is None else role)
    return may and sees(user, section) and not user.tables.split()


def reader(request: HttpRequest, section: Section) -> User:
    """Give the user, who may look; PermissionDenied names what he lacks."""
    user = signed_in(request)
    if section.for_all:
        for_all(user)
    _need(user, section.sees)
    return user


def editor(request: HttpRequest, section: Section, role: Role | None = None) -> User:
    """Give the user, who may change things; PermissionDenied names what he lacks."""
    user = reader(request, section)
    for_all(user)
    _need(user, section.edits if role is None else role)
    return user


def _need(user: User, role: Role) -> None:
    if not reaches(user, role):
        raise PermissionDenied(
            _("This needs the role %(needed)s; yours is %(own)s.")
            % {"needed": role.label, "own": user.get_role_display()}
        )
