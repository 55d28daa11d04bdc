"""Policies of a job in words: overlap, catch-up and reports, as lists to choose from."""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from billclock.cron import defaults
from billclock.scheduler import policies
from billclock.scheduler.policies import CatchUp, HookWhen, MailWhen, Options, Overlap
from billclock.web.times import duration

OVERLAPS: Mapping[StrEnum, Promise] = {
    Overlap.SKIP: _("skip the new one"),
    Overlap.QUEUE: _("start it afterwards"),
    Overlap.ALLOW: _("run side by side"),
    Overlap.REPLACE: _("stop the old one"),
}
CATCH_UPS: Mapping[StrEnum, Promise] = {
    CatchUp.SKIP: _("leave them out"),
    CatchUp.ONCE: _("run once for the latest"),
}
HOOKS: Mapping[StrEnum, Promise] = {
    HookWhen.ALWAYS: _("every ending"),
    HookWhen.SUCCESS: _("success"),
    HookWhen.FAILURE: _("failure"),
}
MAILS: Mapping[StrEnum, Promise] = {
    MailWhen.NEVER: _("never"),
    MailWhen.FAILURE: _("after a failure"),
    MailWhen.OUTPUT: _("when something was printed"),
    MailWhen.ALWAYS: _("after every run"),
}


CHOICES: Mapping[str, Mapping[StrEnum, Promise]] = {
    "overlap": OVERLAPS,
    "catch-up": CATCH_UPS,
    "mail": MAILS,
    "webhook-when": HOOKS,
}
"""The directives that are chosen from a list, with the words of each value."""

Choices = Sequence[tuple[str, Promise | str]]


def offered(words: Mapping[StrEnum, Promise], value: str = "") -> Choices:
    """Give what a field offers; a value that stands in the text and is none of them, too."""
    known: list[tuple[str, Promise | str]] = [(str(one), word) for one, word in words.items()]
    return known if value in ("", *words) else [*known, (value, value)]


def standing(environment: Mapping[str, str]) -> dict[str, str]:
    """Say by field what holds for a job that says nothing itself, and when its table says so."""
    options = policies.read({}, environment)[0]
    said = defaults.given(environment)
    return {
        key.replace("-", "_"): (_("as the table: %s") if key in said else _("default: %s")) % word
        for key, word in _words(options).items()
    }


def _words(options: Options) -> dict[str, object]:
    return {
        "overlap": OVERLAPS[options.overlap],
        "catch-up": CATCH_UPS[options.catch_up],
        "mail": MAILS[options.mail],
        "timeout": limit(options.timeout),
        "webhook-when": HOOKS[options.webhook_when],
    }


def limit(seconds: float | None) -> str:
    """Say after how long a run is stopped."""
    return duration(seconds) if seconds else str(_("no limit"))
