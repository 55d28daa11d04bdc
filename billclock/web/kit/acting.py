"""Acts of a section: on ticked rows, on one, or on none; what needs it is asked for first."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest, ValidationError
from django.db.models import ProtectedError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext
from django.views.decorators.http import require_POST

from billclock.accounts import audit
from billclock.billing.errors import BillingError
from billclock.web.fresh import fresh
from billclock.web.kit import detail, faults, rights
from billclock.web.kit.fields import Form
from billclock.web.kit.section import Act, Given, Section
from billclock.web.visible import visible

MOST = 1000  # rows of one act
MOST_TOLD = 5  # of which the outcome is told one by one


@require_POST
@fresh
def act(request: HttpRequest, section: Section) -> HttpResponse:
    """Do `act` to the ticked rows, or what `one` names to one row ("suspend:12").

    What has a page of its own is asked there, unless it is for several rows.
    """
    name, keys = _asked(request)
    found = section.act(name)
    user = rights.editor(request, section, found.role if found else None)
    if found is None:
        raise BadRequest(name)
    rows = [] if found.whole else _rows(section, keys)
    if not rows and not found.whole:
        messages.error(request, _("Nothing is ticked: tick the rows first."))
        return _back(request, section)
    if found.page and (len(rows) <= 1 or not found.bulk):
        return redirect(found.page, *(row.pk for row in rows[:1]))
    form = found.form(request.POST if _confirmed(request) else None) if found.form else None
    if found.asks and not (_confirmed(request) and (form is None or form.is_valid())):
        return _ask(request, section, found, rows, form)
    given = Given(user, request, form.cleaned_data if form else {})
    if form is not None and len(rows) <= 1:
        return _with_form(request, section, found, rows, form, given)
    _each(request, section, found, rows, given)
    return _back(request, section)


def _asked(request: HttpRequest) -> tuple[str, list[str]]:
    """Give the act and the keys of the rows it is for."""
    one, _colon, key = request.POST.get("one", "").partition(":")
    keys = [key] if one else request.POST.getlist("entry")
    return one or request.POST.get("act", ""), list(dict.fromkeys(keys))[:MOST]


def _rows(section: Section, keys: Sequence[str]) -> list[Any]:
    """Find rows by their keys, in the order in which they were ticked."""
    try:
        found = {str(row.pk): row for row in section.rows().filter(pk__in=keys)}
    except (ValueError, ValidationError, OverflowError):
        raise BadRequest(keys) from None
    return [found[key] for key in keys if key in found]


def _with_form(
    request: HttpRequest, section: Section, act: Act, rows: Sequence[Any], form: Form, given: Given
) -> HttpResponse:
    """Do an act to one row or none; what is wrong is shown in its form."""
    row = rows[0] if rows else None
    fault, told = _do(section, act, row, given)
    if fault is not None:
        form.refuse(fault)
        return _ask(request, section, act, rows, form)
    messages.success(request, told or _done(section, act, rows))
    return _back(request, section)


def _each(
    request: HttpRequest, section: Section, act: Act, rows: Sequence[Any], given: Given
) -> None:
    """Do an act to each row; one that fails keeps no other from it."""
    done, told, refused = [], [], []
    for row in rows or [None]:
        fault, said = _do(section, act, row, given)
        if fault is not None:
            why = faults.said(fault)
            refused.append(f"{section.name_of(row)}: {why}" if row is not None else why)
            continue
        done.append(row)
        told += [said] if said else []
    if done:
        short = told[:MOST_TOLD] if len(told) == len(done) <= MOST_TOLD else []
        messages.success(request, " ".join(short) or _done(section, act, done))
    for reason in refused[:MOST_TOLD]:
        messages.error(request, reason)
    if len(refused) > MOST_TOLD:
        more = len(refused) - MOST_TOLD
        messages.error(request, ngettext("%d more failed.", "%d more failed.", more) % more)


def _do(section: Section, act: Act, row: Any, given: Given) -> tuple[Exception | None, str]:
    """Do an act to a row and write it down; give why it was refused, or the sentence to show."""
    subject = section.subject(row) if row is not None else section.name
    if refusal := act.refusal(row):
        return BillingError(refusal), ""
    if row is not None and not _as_seen(act, row, given.request):
        return BillingError(_("It changed since you were asked: look at it again.")), ""
    try:
        told = act.do(row, given) or ""
    except (BillingError, ValidationError) as error:
        return error, ""
    except ProtectedError:
        return BillingError(_("Other records refer to it: it stays.")), ""
    values = "\n".join(f"{name}: {value}" for name, value in given.values.items())
    audit.note(
        given.by.email, f"{section.name}.{act.name}", subject, after=values, request=given.request
    )
    return None, visible(told)


def _as_seen(act: Act, row: Any, request: HttpRequest) -> bool:
    return request.POST.get(f"seen-{row.pk}", act.sight(row)) == act.sight(row)


def _done(section: Section, act: Act, rows: Sequence[Any]) -> str:
    """Say what was done to which rows."""
    named = [section.name_of(row) for row in rows[:MOST_TOLD] if row is not None]
    more = len(rows) - len(named)
    told = " · ".join(named)
    if named and more:
        told = pgettext("jobs", "%(told)s and %(more)d more") % {"told": told, "more": more}
    return f"{act.title}: {told}" if told else str(act.title)


def _ask(
    request: HttpRequest, section: Section, act: Act, rows: Sequence[Any], form: Form | None
) -> HttpResponse:
    """Ask before it is done, with the rows named and the form to fill in."""
    context = {
        "section": section,
        "act": act,
        "form": form if form is not None or act.form is None else act.form(),
        "rows": [(row.pk, section.name_of(row), act.refusal(row), act.sight(row)) for row in rows],
        "back": request.POST.get("back", ""),
        "url": section.address("act"),
        "cancel": _way_back(request, section),
    }
    return render(request, "kit/confirm.html", context)


def _confirmed(request: HttpRequest) -> bool:
    return "confirmed" in request.POST


def _back(request: HttpRequest, section: Section) -> HttpResponseRedirect:
    return HttpResponseRedirect(_way_back(request, section))


def _way_back(request: HttpRequest, section: Section) -> str:
    """Give the page the act came from: a row's, or the list as it was filtered."""
    back = request.POST.get("back", "")
    if back.startswith("?"):
        return section.address() + back
    row = detail.find(section, back) if back else None
    return section.address("one", row.pk) if row is not None else section.address()
