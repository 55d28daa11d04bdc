"""Records of the books that the palette finds: a client, account or invoice by its whole number."""

from collections.abc import Iterator, Sequence
from typing import Any

from billclock.accounts.models import User
from billclock.web.kit.rights import sees
from billclock.web.kit.section import Section
from billclock.web.palette_places import Choice
from billclock.web.sections import all_sections
from billclock.web.visible import visible

MOST = 5  # of one section: two companies may each have a document of one number
LONGEST = 120  # letters of a number


def records(user: User, text: str) -> Iterator[Choice]:
    """Give what a number names in the sections open to the user: a query each, by its index."""
    if not text or len(text) > LONGEST or "\0" in text:
        return
    for section in numbered(user):
        rows = section.rows().filter(**{f"{section.number}__in": {text, text.upper()}})
        yield from (_choice(section, row) for row in rows[:MOST])


def numbered(user: User) -> Sequence[Section]:
    """Give the sections open to a user whose rows have numbers of their own."""
    return [one for one in all_sections() if one.number and sees(user, one)]


def _choice(section: Section, row: Any) -> Choice:
    number, name = visible(str(getattr(row, section.number))), section.name_of(row)
    detail = str(section.title) + ("" if number in name else f" · {number}")
    return Choice("list", name, section.address("one", row.pk), detail)
