"""Which open request an entry pays: decided only where the bank's words leave one answer; pure."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from stdnum import iso11649

from billclock.billing.statements.base import StatementEntry

SHORTEST = 4  # letters and digits of a reference that is believed in free text
WORDS = 10  # words that a reference may have been broken into
LONGEST = 35
TELLING = 6  # digits of a number that is hardly anything else

_WORD = re.compile(r"[A-Z0-9]+")


@dataclass(frozen=True, slots=True)
class OpenRequest:
    """A request for payment that is open: what is still to be paid, and who is to pay it."""

    number: int
    reference: str
    minor: int
    currency: str
    payer: str = ""
    iban: str = ""


@dataclass(frozen=True, slots=True)
class Matched:
    """The entry pays these requests; `over` is what is left of it, below zero what is missing."""

    entry: StatementEntry
    requests: tuple[OpenRequest, ...]
    why: str
    over: int = 0


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """A person must choose among these requests."""

    entry: StatementEntry
    requests: tuple[OpenRequest, ...]
    why: str


@dataclass(frozen=True, slots=True)
class Unmatched:
    """Nothing open fits."""

    entry: StatementEntry
    why: str


Match = Matched | Ambiguous | Unmatched


class _Index:
    """The open requests by reference, account and name."""

    def __init__(self, requests: Iterable[OpenRequest]) -> None:
        self.references: dict[str, list[OpenRequest]] = defaultdict(list)
        self.accounts: dict[str, list[OpenRequest]] = defaultdict(list)
        self.names: dict[str, list[OpenRequest]] = defaultdict(list)
        for request in requests:
            self.references[squeezed(request.reference)].append(request)
            self.accounts[squeezed(request.iban)].append(request)
            self.names[squeezed(request.payer)].append(request)
        for empty in (self.references, self.accounts, self.names):
            empty.pop("", None)


def match(entries: Sequence[StatementEntry], requests: Sequence[OpenRequest]) -> list[Match]:
    """Give a match for each entry, in their order.

    A request that an entry has paid in full is not found by account or name again; by reference it
    is, as somebody who pays twice still has his money's due.
    """
    index = _Index(requests)
    left = {request.number: request.minor for request in requests}
    matches: list[Match] = []
    for entry in entries:
        found = _match(entry, index, left)
        if isinstance(found, Matched):
            left.update({request.number: max(-found.over, 0) for request in found.requests})
        matches.append(found)
    return matches


def squeezed(text: str) -> str:
    """Give the letters and digits of a text in capitals."""
    return "".join(letter for letter in text.upper() if letter.isalnum())


def _match(entry: StatementEntry, index: _Index, left: Mapping[int, int]) -> Match:
    if entry.reversal:
        return Unmatched(entry, "it takes an earlier movement back")
    if entry.minor <= 0:
        return Unmatched(entry, "it is no money that came in")
    if named := _named(entry, index):
        return _of_named(entry, named, left)
    return _of_payer(entry, index, left)


def _of_named(
    entry: StatementEntry,
    named: Mapping[int, tuple[OpenRequest, bool]],
    left: Mapping[int, int],
) -> Match:
    every = tuple(request for request, _ in named.values())
    same = tuple(request for request in every if request.currency == entry.currency)
    if not same:
        why = f"{entry.currency} came in for a request in {every[0].currency}"
        return Ambiguous(entry, every, why)
    total = sum(left[request.number] for request in same)
    if len(same) == 1 and total != entry.minor and not named[same[0].number][1]:
        return Ambiguous(entry, same, "a short number agrees, and the amount does not")
    if len(same) == 1:
        return Matched(entry, same, "its reference", entry.minor - total)
    if total == entry.minor:
        return Matched(entry, same, "its references, which add up to it")
    return Ambiguous(entry, same, "it names several requests that do not add up to it")


def _of_payer(entry: StatementEntry, index: _Index, left: Mapping[int, int]) -> Match:
    """Go by who paid: an account and an amount are enough, a name never is."""
    theirs = _open(entry, index.accounts.get(squeezed(entry.iban), ()), left)
    exact = [request for request in theirs if left[request.number] == entry.minor]
    if len(exact) == 1:
        return Matched(entry, tuple(exact), "its account and amount")
    if theirs:
        why = "several requests of this amount" if exact else "no request of this amount"
        return Ambiguous(entry, tuple(exact or theirs), f"the payer's account is known, but {why}")
    alike = _open(entry, index.names.get(squeezed(entry.party), ()), left)
    alike = [request for request in alike if left[request.number] == entry.minor]
    if alike:
        return Ambiguous(entry, tuple(alike), "only the payer's name and the amount agree")
    return Unmatched(entry, "no open request's reference, account or payer is in it")


def _open(
    entry: StatementEntry, requests: Iterable[OpenRequest], left: Mapping[int, int]
) -> list[OpenRequest]:
    return [
        request
        for request in requests
        if request.currency == entry.currency and left[request.number] > 0
    ]


def _named(entry: StatementEntry, index: _Index) -> dict[int, tuple[OpenRequest, bool]]:
    """Give by number the requests whose references the entry names, and whether that is certain.

    A short number in free text may as well be a year or a house's number.
    """
    field = [(squeezed(entry.reference), True)]
    free = [*_names(entry.reference, index), *_names(entry.text, index)]
    field += [(name, len(name) >= TELLING or not name.isdecimal()) for name in free]
    found: dict[int, tuple[OpenRequest, bool]] = {}
    for name, certain in field:
        for request in index.references.get(name, ()) or index.references.get(_inside(name), ()):
            before = found.get(request.number, (request, False))[1]
            found[request.number] = (request, before or certain)
    return found


def _inside(name: str) -> str:
    """Give the reference within a creditor reference (ISO 11649) whose check digits are right."""
    return name[4:] if name.startswith("RF") and iso11649.is_valid(name) else ""


def _names(text: str, index: _Index) -> list[str]:
    """Give the references in a free text, of which a bank may have broken some into words.

    A reference that is a part of a longer one found at the same place is not meant.
    """
    words = _WORD.findall(text.upper())
    spans: list[tuple[int, int, str]] = []
    for start in range(len(words)):
        for end in range(start + 1, min(start + WORDS, len(words)) + 1):
            name = "".join(words[start:end])
            if len(name) > LONGEST:
                break
            if len(name) >= SHORTEST and {name, _inside(name)} & index.references.keys():
                spans.append((start, end, name))
    return [
        name
        for start, end, name in spans
        if not any(a <= start and end <= b and (a, b) != (start, end) for a, b, _ in spans)
    ]
