"""The form of a section: a new row, or a row changed; nothing of others is overwritten unseen."""

import logging
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from billclock.accounts import audit
from billclock.accounts.models import User
from billclock.billing.errors import BillingError
from billclock.web.fresh import fresh
from billclock.web.kit import rights
from billclock.web.kit.detail import one
from billclock.web.kit.fields import Form
from billclock.web.kit.section import Section

log = logging.getLogger(__name__)
WRONG = 422  # Unprocessable Content


@require_http_methods(["GET", "HEAD", "POST"])
@fresh
def new(request: HttpRequest, section: Section) -> HttpResponse:
    """Show an empty form, filled as the address says, or make a row of what was typed."""
    user = rights.editor(request, section)
    if section.form is None or section.create is None:
        raise Http404
    known = {name: text for name, text in request.GET.items() if name in section.form.base_fields}
    form = section.form(_typed(request), initial=known)
    if not form.is_bound:
        return _page(request, section, form, None)
    made = _saved(request, section, form, None, user)
    return _page(request, section, form, None) if made is None else _done(request, section, made)


@require_http_methods(["GET", "HEAD", "POST"])
@fresh
def edit(request: HttpRequest, section: Section, key: str) -> HttpResponse:
    """Show a row's form, or save what was typed."""
    user = rights.editor(request, section)
    row = one(section, key)
    if section.form is None or section.change is None:
        raise Http404
    form = section.form(_typed(request), initial=section.form.of(row))
    form.fix()
    if not form.is_bound:
        return _page(request, section, form, row)
    if request.POST.get("seen", form.stamp) != form.stamp:
        return _page(request, section, form, row, met=True)
    made = _saved(request, section, form, row, user)
    return _page(request, section, form, row) if made is None else _done(request, section, made)


def _typed(request: HttpRequest) -> Any:
    return request.POST if request.method == "POST" else None


def _saved(request: HttpRequest, section: Section, form: Form, row: Any, user: User) -> Any:
    """Save what was typed and write it down; give the row, or None with the form's errors set."""
    if not form.is_valid():
        return None
    try:
        if row is None:
            made = section.create(form.cleaned_data, user) if section.create else None
        else:
            made = (section.change(row, form.cleaned_data, user) if section.change else None) or row
    except BillingError as error:
        form.refuse(error)
        return None
    except ValidationError as error:
        form.add_error(None, error)
        return None
    except IntegrityError:
        log.exception("%s: the database refused what a form held", section.name)
        form.add_error(None, _("Something else has these values already."))
        return None
    audit.note(
        user.email,
        f"{section.name}.{'create' if row is None else 'change'}",
        section.subject(made),
        before="" if row is None else form.lines(typed=False),
        after=form.lines(typed=True),
        request=request,
    )
    return made


def _done(request: HttpRequest, section: Section, row: Any) -> HttpResponse:
    messages.success(request, _("Saved: %s") % section.name_of(row))
    return redirect(section.address("one", row.pk))


def _page(
    request: HttpRequest, section: Section, form: Form, row: Any, *, met: bool = False
) -> HttpResponse:
    """Show the form; `met` says that the row was changed since it was shown."""
    changed = []
    if met:
        form.is_valid()
        changed = [
            (form[name].label, now)
            for name in form.fields
            if (now := form.begun(name)) != form.typed(name)
        ]
    context: dict[str, Any] = {
        "section": section,
        "form": form,
        "row": row,
        "name": section.name_of(row) if row is not None else "",
        "met": met,
        "changed": changed,
        "back": section.address() if row is None else section.address("one", row.pk),
    }
    status = WRONG if form.is_bound else 200
    return render(request, "kit/form.html", context, status=status)
