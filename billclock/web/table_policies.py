"""How a table's jobs run where they say nothing themselves: fields, and what its jobs have."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from billclock.cron import defaults
from billclock.cron.crontab import Crontab
from billclock.scheduler import policies
from billclock.scheduler.policies import MailWhen, Options
from billclock.web import policy_words
from billclock.web.table_form import Form

MOST_TOLD = 5  # different values of the table's jobs


@dataclass(frozen=True)
class Policy:
    """One field: its directive's key, the assignment, what is typed, and what the jobs have.

    `choices` are none where it is typed; `none` says what an empty one means; `held` is told.
    """

    key: str
    name: str
    label: str
    value: str
    none: str
    choices: policy_words.Choices
    held: str
    error: str
    given: bool

    @property
    def described(self) -> str:
        """Name the elements that say what is wrong with it, and what the jobs have."""
        said = {"error": self.error, "held": self.held}
        return " ".join(f"{self.key}-{part}" for part, text in said.items() if text)


def shown(form: Form, crontab: Crontab) -> list[Policy]:
    """Give the fields of a table's form, each with what how many of its jobs have."""
    labels = {"mail": _("Report"), "overlap": _("If a run is still going on"),
              "timeout": _("Stop after"), "catch-up": _("Runs missed while stopped")}  # fmt: skip
    ours, held = policy_words.standing({}), _held(crontab)
    names = {key: name for name, key in defaults.NAMES.items()}
    return [
        Policy(
            key=key, name=names[key], label=label, value=form.policies[key],
            none=ours[key.replace("-", "_")],
            choices=_choices(key, form.policies[key]), held=held[key],
            error=form.errors.get(key, ""), given=names[key] in form.given,
        )
        for key, label in labels.items()
    ]  # fmt: skip


def _choices(key: str, value: str) -> policy_words.Choices:
    words = policy_words.CHOICES.get(key)
    return policy_words.offered(words, value) if words else ()


def _held(crontab: Crontab) -> dict[str, str]:
    """Count by key what the jobs have, from their own directives or the table's assignments."""
    above: dict[int, dict[str, str]] = {}
    found: list[tuple[bool, Options]] = []
    for entry in crontab.entries:
        if entry.scope not in above:  # entries of one scope share their assignments
            above[entry.scope] = entry.environment
        found.append((entry.mails, policies.read(entry.directives, above[entry.scope])[0]))
    return {
        "mail": _told(
            policy_words.MAILS[one.mail if mails else MailWhen.NEVER] for mails, one in found
        ),
        "overlap": _told(policy_words.OVERLAPS[one.overlap] for _mails, one in found),
        "timeout": _told(policy_words.limit(one.timeout) for _mails, one in found),
        "catch-up": _told(policy_words.CATCH_UPS[one.catch_up] for _mails, one in found),
    }


def _told(values: Iterable[Promise | str]) -> str:
    counts = Counter(map(str, values))
    return ", ".join(f"{value} ×{count}" for value, count in counts.most_common(MOST_TOLD))
