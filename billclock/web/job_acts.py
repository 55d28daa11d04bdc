"""What is done to jobs from their list: on, off, run, mail, tags, delete; several at once."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext
from django.views.decorators.http import require_POST

from billclock.accounts import audit
from billclock.cron import CronError, shell
from billclock.cron.crontab import Crontab
from billclock.cron.entry import Entry
from billclock.jobs.registry import default_table
from billclock.scheduler import control, desk, policies
from billclock.scheduler.errors import Conflict, TableError
from billclock.scheduler.policies import MailWhen
from billclock.scheduler.table import Snapshot
from billclock.web import crontabs
from billclock.web.access import editor, operator, signed_in, table_of
from billclock.web.fresh import fresh
from billclock.web.numbers import wholes
from billclock.web.retold import told
from billclock.web.rows import mail_words
from billclock.web.undoing import saved
from billclock.web.visible import visible

Change = Callable[[Crontab, Entry], Crontab]
TRIES = 3  # times an edit is made again where others saved the table in the same moment
MOST_NAMED = 3
REFUSALS = (TableError, CronError, control.NotRunningError, control.RefusedError)


@require_POST
@fresh
def act(request: HttpRequest) -> HttpResponse:
    """Do `act` to the ticked entries, or what `one` names to one entry ("disable:12").

    What needs more, a confirmation or a value, is asked for first.
    """
    name = table_of(request)
    what, keys = _asked(request)
    if what == "run":
        return _run(request, name, keys)
    editor(request)
    if not keys:
        messages.error(request, _("Nothing is ticked: tick the jobs first."))
        return _back(request)
    try:
        snapshot = desk.load(name)
        entries = {key: entry for key in keys if (entry := snapshot.entry(key)) is not None}
        if what in ("edit", "clone"):
            return _form(request, what, keys)
        if what in ("delete", "mail", "tag") and "confirmed" not in request.POST:
            return _confirm(request, name, what, entries)
        _save(request, name, what, entries)
    except REFUSALS as problem:
        messages.error(request, told(problem))
    return _back(request)


@require_POST
@fresh
def load_billing_set(request: HttpRequest) -> HttpResponse:
    """Put the article's jobs into an empty table; those not built yet are switched off."""
    user = editor(request)
    name = table_of(request)
    fresh_set = default_table()

    def change(now: Crontab) -> Crontab:
        return now if now.entries else Crontab.parse(bytes(now) + fresh_set)

    try:
        before = desk.load(name)
        after = desk.edit(name, change, author=user.email, note="the billing set")
    except REFUSALS as problem:
        messages.error(request, told(problem))
    else:
        count = len(after.crontab.entries)
        words = ngettext(
            "%d job of the billing set loaded", "%d jobs of the billing set loaded", count
        )
        saved(request, "job.create", "billing set", before.data, after, words % count)
    return HttpResponseRedirect(f"{reverse('jobs')}?table={name}")


def _asked(request: HttpRequest) -> tuple[str, list[int]]:
    """Give the act and the keys of the entries it is for."""
    one, _colon, key = request.POST.get("one", "").partition(":")
    given = [key] if one else request.POST.getlist("entry")
    return one or request.POST.get("act", ""), wholes(given)


def _save(request: HttpRequest, name: str, what: str, entries: Mapping[int, Entry]) -> None:
    change, done, words = _change(request, what, len(entries))
    author, note = signed_in(request).email, f"{what} {len(entries)}"
    before, after = _edited(name, list(entries), change, author, note)
    named = names(list(entries.values()))
    saved(request, done, named, before.data, after, f"{words}: {named}")


def _change(request: HttpRequest, what: str, count: int) -> tuple[Change, str, str]:
    """Give what is done to each entry, its name in the audit trail, and the same in words."""
    match what:
        case "enable":
            return _switched_on, "job.enable", _("Switched on")
        case "disable":
            return _switched_off, "job.disable", _("Switched off")
        case "delete":
            words = ngettext("%d job deleted", "%d jobs deleted", count) % count
            return Crontab.remove, "job.delete", words
        case "mail":
            value = request.POST.get("value", "")
            if value not in list(MailWhen):
                raise BadRequest(value)
            when = MailWhen(value)
            words = _("Report: %s") % mail_words()[when]
            return partial(_mailed, when=when), "job.mail", words
        case "tag":
            tags = _tags(request.POST.get("value", ""))
            off = request.POST.get("how") == "remove"
            words = (_("Tag removed") if off else _("Tagged")) + " " + ", ".join(tags)
            return partial(_tagged, tags=tags, off=off), "job.tag", words
    raise BadRequest(what)


def _edited(
    name: str, keys: Sequence[int], change: Change, author: str, note: str
) -> tuple[Snapshot, Snapshot]:
    """Change entries by their keys, in one save; give the table before and after."""
    for attempt in range(TRIES):
        now = desk.load(name)
        found = [entry for key in keys if (entry := now.entry(key)) is not None]
        # from the last line up, so that the lines of those still to come stay the same
        ordered = sorted(found, key=lambda entry: -entry.line)

        def make(crontab: Crontab, ordered: Sequence[Entry] = ordered) -> Crontab:
            for entry in ordered:
                crontab = change(crontab, entry)
            return crontab

        try:
            return now, desk.edit(name, make, author=author, seen=now.digest, note=note)
        except Conflict:
            if attempt == TRIES - 1:
                raise
    raise AssertionError("unreachable: the last try returns or raises")


def _switched_on(crontab: Crontab, entry: Entry) -> Crontab:
    return crontab.switch(entry, on=True)


def _switched_off(crontab: Crontab, entry: Entry) -> Crontab:
    return crontab.switch(entry, on=False)


def _mailed(crontab: Crontab, entry: Entry, when: MailWhen) -> Crontab:
    """Set when an entry is reported, in words that any cron understands where there are such."""
    command = shell.with_mails(entry.command, when is not MailWhen.NEVER)
    directives = {key: value for key, value in entry.directives.items() if key != "mail"}
    # what cron does by itself is said only where the table says otherwise
    plain = policies.read({}, entry.environment)[0].mail is MailWhen.OUTPUT
    if when is not MailWhen.NEVER and not (when is MailWhen.OUTPUT and plain):
        directives["mail"] = when.value
    return crontab.change(entry, command=command, directives=directives)


def _tagged(crontab: Crontab, entry: Entry, tags: Sequence[str], *, off: bool) -> Crontab:
    directives = dict(entry.directives)
    held = _tags(directives.pop("tags", ""))
    new = [tag for tag in held if tag not in tags] if off else [*held, *tags]
    if new:
        directives["tags"] = ",".join(dict.fromkeys(new))
    return crontab.change(entry, directives=directives)


def _tags(text: str) -> list[str]:
    return [tag for part in text.split(",") if (tag := part.strip())]


def _run(request: HttpRequest, name: str, keys: Sequence[int]) -> HttpResponse:
    user = operator(request)
    if not keys:
        messages.error(request, _("Nothing is ticked: tick the jobs first."))
        return _back(request)
    runs = []
    try:
        snapshot = desk.load(name)
        for key in keys:
            if snapshot.entry(key) is not None:
                runs.append(control.ask("run-now", entry=key, actor=user.email)["run"])
                audit.note(user.email, "job.run", str(key), table=name, request=request)
    except REFUSALS as problem:
        messages.error(request, told(problem))
    if len(keys) == len(runs) == 1:
        return redirect("run", run=runs[0])
    if runs:
        started = ngettext("%d job started", "%d jobs started", len(runs)) % len(runs)
        messages.success(request, started)
    return _back(request)


def _form(request: HttpRequest, what: str, keys: Sequence[int]) -> HttpResponse:
    """Go to the form of the one entry that is ticked."""
    if len(keys) > 1:
        messages.error(request, _("This works on one job; several are ticked."))
        return _back(request)
    return redirect(f"entry_{what}", keys[0])


def _confirm(
    request: HttpRequest, name: str, what: str, entries: Mapping[int, Entry]
) -> HttpResponse:
    context: dict[str, Any] = {
        "table": name,
        "what": what,
        "entries": [(key, name_of(entry), entry) for key, entry in entries.items()],
        "back": request.POST.get("back", ""),
        "mails": mail_words().items(),
        "counts": {"all": len(crontabs.read(name).crontab.entries)},
    }
    return render(request, "jobs/confirm.html", context)


def _back(request: HttpRequest) -> HttpResponseRedirect:
    """Go back to the list as it was filtered; only a query of ours is followed."""
    query = request.POST.get("back", "")
    if not query.startswith("?"):
        query = f"?table={request.POST.get('table', '')}"
    return HttpResponseRedirect(reverse("jobs") + query)


def name_of(entry: Entry) -> str:
    """Name a job by its description, else by its command."""
    command = entry.command.decode("utf-8", "surrogateescape")
    return visible((entry.description.partition("\n")[0] or command)[:80])


def names(entries: Sequence[Entry]) -> str:
    """Name a few jobs, and say how many more there are."""
    told = " · ".join(name_of(entry) for entry in entries[:MOST_NAMED])
    more = len(entries) - MOST_NAMED
    return told if more <= 0 else pgettext("jobs", "%(told)s and %(more)d more") % {
        "told": told, "more": more
    }  # fmt: skip
