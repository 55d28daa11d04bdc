"""What a billing run counted, in words, with where it is listed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext_lazy as _

from billclock.billing.money import Money
from billclock.billing.progress import JobChunk, JobRun
from billclock.web.kit.leading import list_of
from billclock.web.visible import visible

SHORT = 3  # figures told in a list's cell
OF_DAY = ("on_since", "on_until")

WORDS: Mapping[str, Promise] = {
    "renewed": _("renewed"),
    "charges": _("charges"),
    "transfers": _("transfers"),
    "unfunded": _("without money"),
    "overage_unfunded": _("use without money"),
    "left_out": _("not to be renewed"),
    "not_priced": _("without a price"),
    "parked": _("parked accounts"),
    "invoices": _("invoices written"),
    "there": _("written before"),
    "letters": _("letters"),
    "top_ups": _("top-ups"),
    "requests": _("requests to pay"),
    "stopped": _("stopped"),
    "resumed": _("resumed"),
    "closed": _("closed"),
    "told": _("told"),
}
LISTS: Mapping[str, tuple[str, ...]] = {
    "charges": ("charges", *OF_DAY),
    "charged": ("charges", *OF_DAY),
    "renewed": ("charges", *OF_DAY),
    "invoices": ("invoices", "issued_on_since", "issued_on_until"),
    "letters": ("letters", *OF_DAY),
    "told": ("letters", *OF_DAY),
    "parked": ("parked",),
}
"""Where what a figure counts is listed: the section, and its filters for the run's date."""

FIRST = ("renewed", "invoices", "letters", "stopped", "charged", "unfunded", "parked", "not_priced")


@dataclass(frozen=True)
class Figure:
    """One figure: what it counts, how many, where these are listed ("" where nowhere)."""

    name: str
    word: str
    told: str
    url: str = ""

    @property
    def short(self) -> str:
        """Give it as a part of a sentence: "1,912 renewed"."""
        if not self.word:
            return self.told
        texts = {"count": self.told, "word": self.word}
        return pgettext("outcomes counted", "%(count)s %(word)s") % texts


def figures(run: JobRun) -> list[Figure]:
    """Give all figures of a run that are not zero, sums by currency among them."""
    return [replace(one, url=_url(run, one.name)) for one in _found(run)]


def shortly(row: JobRun | JobChunk) -> str:
    """Give the figures that matter most of a run, or of a part of it, in a line."""
    return ", ".join(one.short for one in _found(row)[:SHORT])


def _found(row: JobRun | JobChunk) -> list[Figure]:
    found = [*_counts(row), *_sums(row)]
    order = {name: place for place, name in enumerate(FIRST)}
    return sorted(found, key=lambda one: order.get(one.name, len(order)))


def _counts(row: JobRun | JobChunk) -> Iterator[Figure]:
    counts = row.figures.get("counts", row.figures)
    for name, count in counts.items():
        if isinstance(count, int) and count:
            word = str(WORDS.get(name, visible(name)))
            yield Figure(name, word, number_format(count, force_grouping=True))


def _sums(row: JobRun | JobChunk) -> Iterator[Figure]:
    language = get_language() or "en"
    for code, minor in row.figures.get("charged", {}).items():
        yield Figure("charged", "", Money(minor, code).shown(language))


def _url(run: JobRun, name: str) -> str:
    section, *filters = LISTS.get(name, ("",))
    return list_of(section, **dict.fromkeys(filters, run.on.isoformat())) if section else ""
