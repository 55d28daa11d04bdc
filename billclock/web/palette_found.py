"""What the palette finds: acts on the job at hand, screens, jobs, records and runs by number."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet
from django.http import QueryDict
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from billclock.accounts.models import User
from billclock.scheduler.models import Entry, Run
from billclock.web.access import may_edit, may_run
from billclock.web.numbers import whole
from billclock.web.palette_places import Choice, looks, screens
from billclock.web.palette_records import numbered, records
from billclock.web.visible import visible

MOST_JOBS = 8
LONGEST = 200  # letters of a search, as in the list of jobs


@dataclass(frozen=True)
class Asked:
    """What somebody looks for, the key of the job he has before him, and the page he is on."""

    text: str = ""
    job: int | None = None
    here: str = "/"

    @classmethod
    def read(cls, given: QueryDict) -> "Asked":
        """Read an address: `q`, `job` and `from`; what makes no sense is as if it was not there."""
        text = given.get("q", "")[:LONGEST].strip()
        return cls(text, whole(given.get("job", "")), given.get("from", "/"))

    @property
    def words(self) -> Sequence[str]:
        """Give its words, case folded."""
        return self.text.casefold().split()


@dataclass(frozen=True)
class Group:
    """Choices of one kind, and the kind's name."""

    name: str
    choices: Sequence[Choice]


def found(user: User, asked: Asked) -> list[Group]:
    """Give what a user may go to or do, in groups: as many queries however much there is."""
    words = asked.words
    groups = [
        *_at_hand(user, asked),
        Group(_("Screens"), [one for one in screens(user) if one.is_like(words)]),
        Group(_("Jobs"), _jobs(user, words) if words else []),
        Group(_("Books"), list(records(user, asked.text))),
        Group(_("Runs"), _runs(user, asked.text.removeprefix("#"))),
        Group(pgettext("palette", "Look"), [o for o in looks(asked.here) if o.is_like(words)]),
        Group(_("Search"), _searches(user, asked.text) if words else []),
    ]
    return [group for group in groups if group.choices]


def _entries(user: User) -> QuerySet[Entry]:
    """Keep the entries in the tables open to a user."""
    entries = Entry.objects.filter(gone_at=None)
    tables = user.tables.split()
    return entries.filter(table__in=tables) if tables else entries


def _at_hand(user: User, asked: Asked) -> Iterator[Group]:
    """Give what can be done with the job at hand, where there is one that the user sees."""
    entry = _entries(user).filter(pk=asked.job).first() if asked.job else None
    if entry is not None:
        acts = [one for one in _acts(user, entry) if one.is_like(asked.words)]
        yield Group(_name(entry.description, entry.command), acts)


def _acts(user: User, entry: Entry) -> Iterator[Choice]:
    to_do = reverse("jobs_act")
    table = {"table": entry.table}
    of_it = "?" + urlencode({"entry": entry.pk})
    if may_run(user):
        fields = {"one": f"run:{entry.pk}", **table}
        yield Choice("play", _("Run now"), to_do, fields=fields, said="run")
    if may_edit(user) and "/" not in entry.table:  # a system's table is not ours to edit
        act, icon, word = (
            ("disable", "power-off", _("Disable"))
            if entry.active
            else ("enable", "power", _("Enable"))
        )
        yield Choice(icon, word, to_do, fields={"one": f"{act}:{entry.pk}", **table}, said=act)
        yield Choice("pencil", _("Edit"), reverse("entry_edit", args=[entry.pk]), said="edit")
        yield Choice("copy", _("Clone"), reverse("entry_clone", args=[entry.pk]), said="clone")
    yield Choice("list", pgettext("palette", "Its runs"), reverse("runs") + of_it, said="runs")
    why = pgettext("palette", "Why did it not run?")
    yield Choice("triangle-alert", why, reverse("problems") + of_it, said="why")


def _jobs(user: User, words: Sequence[str]) -> list[Choice]:
    """Give the jobs that hold every word, those whose name begins with the first one first.

    They are compared here and not by the database, which knows capitals of Latin letters only.
    """
    columns = ("pk", "table", "description", "command", "expression", "active")
    rows = _entries(user).order_by("table", "line").values_list(*columns)
    alike = [row for row in rows if all(word in _folded(*row[1:4]) for word in words)]
    alike.sort(key=lambda row: _rank(_folded(*row[1:4]), words[0]))
    return [_job(*row) for row in alike[:MOST_JOBS]]


def _folded(table: str, description: str, command: str) -> str:
    return f"{description}\n{command}\n{table}".casefold()


def _rank(whole: str, word: str) -> int:
    """Tell how well a word stands in a text: at its beginning, at one of a word, or within."""
    if whole.startswith(word):
        return 0
    return 1 if f" {word}" in whole or f"\n{word}" in whole else 2


def _job(
    key: int, table: str, description: str, command: str, expression: str, active: bool
) -> Choice:
    state = "" if active else f" · {_('Off')}"
    name = _name(description, command)
    detail = f"{table} · {visible(expression)}{state}"
    return Choice("clock", name, reverse("entry_edit", args=[key]), detail)


def _name(description: str, command: str) -> str:
    return visible((description.partition("\n")[0] or command)[:80])


def _runs(user: User, text: str) -> list[Choice]:
    """Give the run that a number names, if it is of a table open to the user."""
    number = whole(text)
    runs = Run.objects.filter(pk=number) if number else Run.objects.none()
    tables = user.tables.split()
    run = (runs.filter(entry__table__in=tables) if tables else runs).select_related("entry").first()
    if run is None:
        return []
    name = _name(run.entry.description, run.entry.command)
    return [Choice("list", f"#{run.pk}", reverse("run", args=[run.pk]), name)]


def _searches(user: User, text: str) -> list[Choice]:
    """Offer the lists, searched for a text."""
    return [
        Choice(
            "search",
            pgettext("palette", "Jobs with “%s”") % text,
            f"{reverse('jobs')}?{urlencode({'q': text})}",
        ),
        Choice(
            "search",
            pgettext("palette", "Runs of jobs with “%s”") % text,
            f"{reverse('runs')}?{urlencode({'job': text})}",
        ),
        *(
            Choice(
                "search",
                pgettext("palette", "%(section)s: “%(text)s”")
                % {"section": section.title, "text": text},
                f"{section.address()}?{urlencode({'q': text})}",
            )
            for section in numbered(user)
        ),
    ]
