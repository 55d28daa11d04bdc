"""Import: a file, a pasted text or one of this machine's crontabs, told line by line first."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from billclock.accounts.models import User
from billclock.cron import importing
from billclock.cron.crontab import Crontab
from billclock.cron.entry import Entry
from billclock.cron.importing import Report, ReportLine
from billclock.cron.joining import joined, of_user
from billclock.scheduler import desk
from billclock.scheduler.control import NotRunningError
from billclock.scheduler.errors import TableError
from billclock.web import crontabs, server_crontabs
from billclock.web.access import editor, table_of
from billclock.web.code import Pieces, line_pieces, marked_up
from billclock.web.crontab_text import back_to, framed
from billclock.web.fresh import fresh
from billclock.web.numbers import wholes
from billclock.web.retold import retold
from billclock.web.undoing import saved
from billclock.web.visible import visible

MOST = 1 << 20  # bytes of one import


@dataclass(frozen=True)
class Given:
    """What is to be imported: its name, its bytes, whether a user column stands in it."""

    name: str
    data: bytes
    system: bool

    @property
    def kept(self) -> str:
        """Give the bytes as a hidden field can carry them."""
        return self.data.hex()


@dataclass(frozen=True)
class Told:
    """A line of the report as the page shows it.

    `now` is the line as mended or to be mended, `sure` that mending it guesses nothing; `mended`
    that somebody said so.
    """

    line: int
    state: str
    pieces: Pieces
    reason: str
    now: str
    description: str
    sure: bool
    mended: bool

    @property
    def html(self) -> SafeString:
        """Give the pieces as they are put into a page."""
        return marked_up(self.pieces)

    @property
    def text(self) -> str:
        """Give the line without its colours."""
        return "".join(text for _kind, text in self.pieces)

    @property
    def open(self) -> bool:
        """Tell whether a button mends it."""
        return bool(self.now) and not self.mended and self.state in ("repaired", "refused")


@dataclass(frozen=True)
class Taking:
    """What an import would put into the table, and what is told of it."""

    given: Given
    lines: Sequence[Told]
    crontab: Crontab
    foreign: Sequence[Entry]
    is_document: bool

    @property
    def open(self) -> int:
        """Count the lines that one press on "Mend all" would mend."""
        return sum(line.open and line.sure for line in self.lines)

    @property
    def mended(self) -> Sequence[Told]:
        """Give the lines that were mended."""
        return [line for line in self.lines if line.mended]

    def of(self, *states: str) -> int:
        """Count the lines of some states."""
        return sum(line.state in states for line in self.lines)


@require_http_methods(["GET", "HEAD", "POST"])
@fresh
def page(request: HttpRequest) -> HttpResponse:
    """Ask for a source; then tell of each line what became of it; `do=install` puts it in."""
    user = editor(request)
    name = table_of(request)
    reading = crontabs.load(name)
    context = framed(request, reading, "import")
    if request.method != "POST":
        context["sources"] = server_crontabs.sources(user)
        return render(request, "crontab/import.html", context)
    given = _given(request, user)
    if isinstance(given, str):
        context |= {"sources": server_crontabs.sources(user), "problem": given}
        return render(request, "crontab/import.html", context, status=422)
    taking = take(given, _chosen(request), name)
    if request.POST.get("do") == "install":
        return _install(request, name, taking)
    found = joined(reading.crontab, taking.crontab)
    context |= {
        "taking": taking,
        "added": found.added,
        "known": found.known,
        "figures": {
            "taken": taking.of(importing.TAKEN),
            "open": sum(line.open for line in taking.lines),
            "aside": taking.of(importing.DROPPED, importing.NOTED),
        },
    }
    return render(request, "crontab/report.html", context)


def take(given: Given, chosen: Collection[int] | None, user: str) -> Taking:
    """Say what of a source would come into a user's table, with the `chosen` lines mended.

    None chooses every line whose mend guesses nothing.
    """
    first = importing.take(given.data, system=given.system)
    sure = {one.line for one in first.lines if _is_sure(one)}
    wanted = sure if chosen is None else set(chosen)
    raws = given.data.split(b"\n")
    for one in first.lines:
        # with all the sure mends taken the importer makes them itself, odd comments included
        if one.line in wanted and one.fix and not (sure <= wanted and one.line in sure):
            raws[one.line - 1] = one.fix.encode("utf-8", "surrogateescape")
    data = b"\n".join(raws)
    report = importing.take(data, fix=bool(sure) and sure <= wanted, system=given.system)
    crontab = Crontab.parse(report.data, given.system)
    foreign: Sequence[Entry] = ()
    if given.system:
        crontab, foreign = of_user(crontab, user)
    return Taking(given, _told(first, report, wanted), crontab, foreign, report.is_document)


def _told(first: Report, last: Report, wanted: Collection[int]) -> list[Told]:
    """Put the report into words: what was found at first, and what became of it at last."""
    became = {one.line: one for one in last.lines}
    found = []
    for one in first.lines:
        after = became.get(one.line, one)
        mended = one.line in wanted and bool(one.fix)
        dropped = after.verdict == importing.DROPPED
        found.append(
            Told(
                line=one.line,
                state=after.verdict if dropped or not mended else "mended",
                pieces=line_pieces(one.text),
                reason=visible(retold(after.reason if dropped else one.reason)),
                now=visible(one.fix or ""),
                description=visible(one.description),
                sure=_is_sure(one),
                mended=mended,
            )
        )
    return found


def _is_sure(line: ReportLine) -> bool:
    return line.verdict == importing.REPAIRED or (
        line.verdict == importing.DROPPED and line.fix is not None
    )


def _given(request: HttpRequest, user: User) -> Given | str:
    """Give what was sent to be imported, or say why there is nothing to import."""
    system = "system" in request.POST
    kept = request.POST.get("kept", "")
    file = request.FILES.get("file")
    if kept:
        try:
            return Given(request.POST.get("name", "")[:200], bytes.fromhex(kept), system)
        except ValueError:
            return _("The form came back damaged: choose the source again.")
    if isinstance(file, UploadedFile):
        if (file.size or 0) > MOST:
            return _("This file is larger than 1 MiB, which no crontab is.")
        return Given(visible(file.name or ""), file.read(), system)
    path = request.POST.get("source", "")
    if path:
        found = server_crontabs.source(path, user)
        if found is None:
            return _("%s can't be read any more.") % path
        return Given(found.path, found.data, found.system)
    text = request.POST.get("paste", "").replace("\r\n", "\n")
    if text.strip():
        return Given(_("pasted text"), text.encode("utf-8", "replace"), system)
    return _("Choose a file, a crontab of this server, or paste a text.")


def _chosen(request: HttpRequest) -> set[int]:
    """Give the lines that were mended before, and the one or all whose button was pressed."""
    given = [*request.POST.getlist("mended"), *request.POST.get("mend", "").split(",")]
    return set(wholes(given))


def _install(request: HttpRequest, name: str, taking: Taking) -> HttpResponse:
    reading = crontabs.load(name)
    before = reading.snapshot.data if reading.snapshot else None
    try:
        after = desk.edit(
            name,
            lambda held: joined(held, taking.crontab).crontab,
            author=editor(request).email,
            note=f"import of {taking.given.name}"[:255],
        )
    except (TableError, NotRunningError) as problem:
        messages.error(request, str(problem))
        return back_to("crontab_import", name)
    added = len(after.crontab.entries) - len(reading.crontab.entries)
    words = ngettext("%d job imported", "%d jobs imported", added) % added
    saved(request, "crontab.import", taking.given.name, before, after, words)
    return back_to("jobs", name)
