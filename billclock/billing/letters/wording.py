"""Acts on a provider's own words for letters: written and changed only if they can be rendered."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from billclock.billing import keeping
from billclock.billing.errors import DetailsError
from billclock.billing.letters import previewing
from billclock.billing.letters.words import WordsError
from billclock.billing.notifications import Template

LONGEST = 50_000
"""Characters of a letter's text or page."""


@transaction.atomic
def write(**details: Any) -> Template:
    """Make own words of Template's facts; raises DetailsError with a fault a field."""
    return _kept(Template(), details)


@transaction.atomic
def change(template: Template, **details: Any) -> Template:
    """Change own words; raises DetailsError."""
    return _kept(keeping.locked(template), details)


@transaction.atomic
def remove(template: Template) -> None:
    """Take own words away: those shipped are sent again."""
    keeping.locked(template).delete()


def tried(details: dict[str, Any]) -> Template:
    """Give words that are not saved; raises DetailsError where they cannot be rendered."""
    row = Template(**details)
    try:
        previewing.of_template(row)
    except WordsError as error:
        raise DetailsError(row.kind, error.faults) from error
    return row


def _kept(row: Template, details: dict[str, Any]) -> Template:
    tried(details)
    faults = {}
    same = Template.objects.filter(
        provider=details["provider"], kind=details["kind"], language=details["language"],
        channel=row.channel,
    ).exclude(pk=row.pk)  # fmt: skip
    if same.exists():
        faults["language"] = _("There is one like this already.")
    return keeping.keep(row, details, faults)
