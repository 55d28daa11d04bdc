"""The Crontab screen: the table's text with its findings, mended by a button or edited as text."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from billclock.cron.crontab import Crontab
from billclock.cron.findings import NOTE
from billclock.cron.header import visible
from billclock.cron.lint import fixed
from billclock.jobs.checking import findings
from billclock.scheduler import desk, versions
from billclock.scheduler.control import NotRunningError
from billclock.scheduler.errors import Conflict, Refused, TableError
from billclock.scheduler.table import new_errors
from billclock.web import crontabs
from billclock.web.access import editor, may_edit, open_to, signed_in, table_of
from billclock.web.code import remark
from billclock.web.code_rows import drawn
from billclock.web.conflicts import meeting
from billclock.web.crontabs import Reading
from billclock.web.difference import difference
from billclock.web.fresh import fresh
from billclock.web.retold import told
from billclock.web.typed import to_type, typed, untypable
from billclock.web.undoing import offered, saved


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Show a table's text with line numbers, colours, jobs and findings."""
    reading = open_to(signed_in(request), table_of(request))
    context = framed(request, reading, "file") | {"undo": offered(request)}
    if reading.snapshot is not None:
        context |= _shown(reading, may_edit=context["may_edit"])
    return render(request, "crontab/page.html", context)


@require_safe
def export(request: HttpRequest) -> HttpResponse:
    """Give a table's bytes, as `crontab -l` prints them, to be kept as a file."""
    name = table_of(request)
    reading = open_to(signed_in(request), name)
    if reading.problem is not None:
        messages.error(request, told(reading.problem))
        return back_to("crontab", name)
    answer = HttpResponse(shown_bytes(reading), content_type="text/plain; charset=utf-8")
    file = name.replace("/", "_") + ".crontab"
    answer["Content-Disposition"] = f'attachment; filename="{file}"'
    return answer


@require_POST
@fresh
def mend(request: HttpRequest) -> HttpResponse:
    """Apply the mend of one finding."""
    editor(request)
    name = table_of(request)
    line, _colon, code = request.POST.get("finding", "").partition(":")
    reading = crontabs.load(name)
    before = reading.snapshot.data if reading.snapshot else None

    try:
        after = desk.edit(
            name,
            lambda now: _mended(now, name, f"{line}:{code}"),
            author=signed_in(request).email,
            seen=request.POST.get("seen"),
            note=f"line {line} mended: {code}"[:255],
        )
    except (TableError, NotRunningError) as problem:
        messages.error(request, told(problem))
    else:
        saved(request, "crontab.mend", f"{line}:{code}", before, after, _("Line %s mended") % line)
    return back_to("crontab", name)


@require_http_methods(["GET", "HEAD", "POST"])
@fresh
def edit(request: HttpRequest) -> HttpResponse:
    """Edit a table as text: `check` shows what would change, `install` saves it.

    `mend:LINE:CODE` mends one finding of what was typed, and shows what then would change.
    """
    name = table_of(request)
    if request.method != "POST":
        reading = open_to(signed_in(request), name)
        data = shown_bytes(reading)
        context = framed(request, reading, "edit")
        context |= {"text": to_type(data), "untypable": untypable(data)}
        return render(request, "crontab/edit.html", context)
    editor(request)
    do = request.POST.get("do", "")
    if do == "install":
        return _install(request, name)
    reading, text = crontabs.load(name), request.POST.get("text", "")
    if do.startswith("mend:"):
        now = Crontab.parse(typed(text, _seen(reading, request.POST.get("seen", ""))))
        text = to_type(bytes(_mended(now, name, do.removeprefix("mend:"))))
    return _checked(request, reading, text)


def _install(request: HttpRequest, name: str) -> HttpResponse:
    reading = crontabs.load(name)
    text, seen = request.POST.get("text", ""), request.POST.get("seen", "")
    before = reading.snapshot.data if reading.snapshot else None

    def change(now: Crontab) -> Crontab:
        data = bytes(now)
        body = visible(data)
        return Crontab.parse(data[: len(data) - len(body)] + typed(text, body))

    try:
        after = desk.edit(name, change, author=signed_in(request).email, seen=seen, note="text")
    except Conflict as conflict:
        context = framed(request, reading, "edit") | {"conflict": meeting(name, conflict)}
        return render(request, "crontab/conflict.html", context, status=409)
    except (TableError, NotRunningError) as problem:
        return _checked(request, reading, text, problem)
    saved(request, "crontab.edit", name, before, after, _("The crontab of %s was saved") % name)
    return back_to("crontab", name)


def _mended(crontab: Crontab, name: str, which: str) -> Crontab:
    """Give a table with the mend of one finding, LINE:CODE; as it is if that is not there."""
    for finding in findings(crontab, name):
        if f"{finding.line}:{finding.code}" == which:
            return fixed(crontab, finding)
    return crontab


def _checked(
    request: HttpRequest, reading: Reading, text: str, problem: Exception | None = None
) -> HttpResponse:
    """Show a typed text again, with what it would change and what is wrong with it."""
    seen = request.POST.get("seen", "")
    old = _seen(reading, seen)
    new = typed(text, old)
    crontab = Crontab.parse(new)
    context = framed(request, reading, "edit") | {
        "text": text,
        "seen": seen,
        "changes": difference(old, new),
        "remarks": [remark(one) for one in findings(crontab, reading.name) if one.level != NOTE],
        "checked": True,
        "barred": len(new_errors(Crontab.parse(old), crontab)),
        "untypable": untypable(old),
    }
    if isinstance(problem, Refused):
        context["refused"] = problem
    elif problem is not None:
        context["problem"] = problem
    return render(request, "crontab/edit.html", context, status=422 if problem else 200)


def _seen(reading: Reading, seen: str) -> bytes:
    """Give the text that was shown to who edits it, or what is there now if that is not kept."""
    now = reading.snapshot
    if now is None or seen == now.digest:
        return shown_bytes(reading)
    former = versions.shown(reading.name, seen) if seen else b""
    return shown_bytes(reading) if former is None else visible(former)


def framed(request: HttpRequest, reading: Reading, part: str) -> dict[str, Any]:
    """Give what every page of the Crontab tab shows around its own part."""
    user = signed_in(request)
    snapshot = reading.snapshot
    return {
        "reading": reading,
        "table": reading.name,
        "names": crontabs.names(user),
        "part": part,
        "seen": snapshot.digest if snapshot else "",
        "may_edit": may_edit(user) and not reading.crontab.system,
        "counts": {"all": len(reading.crontab.entries)},
    }


def shown_bytes(reading: Reading) -> bytes:
    """Give a table's text without the header that Debian's crontab(1) hides."""
    return reading.snapshot.shown if reading.snapshot else b""


def back_to(name: str, table: str) -> HttpResponseRedirect:
    """Go to a page of a table."""
    return HttpResponseRedirect(f"{reverse(name)}?{urlencode({'table': table})}")


def _shown(reading: Reading, *, may_edit: bool) -> dict[str, Any]:
    snapshot = reading.snapshot
    data = snapshot.data or b"" if snapshot else b""
    shown = drawn(
        reading.crontab,
        tuple(findings(reading.crontab, reading.name)),
        tuple(snapshot.keys) if snapshot else (),
        reading.name,
        hidden=data.count(b"\n") - shown_bytes(reading).count(b"\n"),
        may_edit=may_edit,
        language=get_language(),
    )
    return {**shown, "size": len(data)}
