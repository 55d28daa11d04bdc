"""Settings of the scheduler that may be chosen on the page, and what is in force of them.

The environment wins: what whoever runs the machine has written into its unit is not undone by a
click. Where it gives nothing, what was chosen on the page counts, and else the default.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum

from django.conf import settings
from django.db import router, transaction

from billclock import clock
from billclock.cron import hooks
from billclock.scheduler.models import Setting


class Origin(StrEnum):
    """Where a setting's value comes from."""

    DEFAULT = "default"
    PAGE = "page"
    ENVIRONMENT = "environment"


@dataclass(frozen=True, slots=True)
class InForce:
    """The settings that may be chosen, as they are in force.

    Days, runs of one entry and MiB of output that are kept; jobs at once (0: no limit); mails a
    night from one table, minutes between two mails of the same failure, the hour of the digest;
    the address fetched once a minute (empty: none).
    """

    keep_days: int
    keep_runs: int
    keep_mib: int
    parallel: int
    mail_a_night: int
    same_failure: int
    digest_hour: int
    heartbeat_url: str


NAMES = tuple(field.name.upper() for field in fields(InForce))
RANGES: Mapping[str, tuple[int, int]] = {
    "KEEP_DAYS": (1, 36_500),
    "KEEP_RUNS": (1, 1_000_000),
    "KEEP_MIB": (0, 100_000_000),
    "PARALLEL": (0, 10_000),
    "MAIL_A_NIGHT": (0, 10_000),
    "SAME_FAILURE": (0, 10_080),
    "DIGEST_HOUR": (0, 23),
}
"""The least and the most that the page takes of each setting that is a number."""


def in_force() -> InForce:
    """Read what is in force: one query."""
    return _counted(_chosen())


def with_origins() -> tuple[InForce, Mapping[str, Origin]]:
    """Read what is in force and, by name, where each value comes from: one query."""
    chosen = _chosen()
    origins = {
        name: Origin.ENVIRONMENT
        if name in settings.GIVEN
        else Origin.PAGE
        if name in chosen
        else Origin.DEFAULT
        for name in NAMES
    }
    return _counted(chosen), origins


def choose(values: Mapping[str, str | None], actor: str) -> None:
    """Keep what was chosen, by name; None goes back to the default.

    Raise ValueError for what can't be chosen: an unknown name, one that the environment gives, a
    number that is none or out of range, an address that is none.
    """
    for name, value in values.items():
        _check(name, value)
    at = clock.now()
    with transaction.atomic(using=router.db_for_write(Setting)):
        for name, value in values.items():
            if value is None:
                Setting.objects.filter(name=name).delete()
            else:
                row = {"value": value, "actor": actor, "at": at}
                Setting.objects.update_or_create(name=name, defaults=row)


def _check(name: str, value: str | None) -> None:
    if name not in NAMES:
        raise ValueError(f"{name} is no setting that the page may choose")
    if name in settings.GIVEN:
        raise ValueError(f"the environment gives BILLCLOCK_{name}: unset it there first")
    if value is not None and name in RANGES:
        least, most = RANGES[name]
        if not (value.isascii() and value.isdecimal() and least <= int(value) <= most):
            raise ValueError(f"{name}={value}: expected a whole number from {least} to {most}")
    if value is not None and name == "HEARTBEAT_URL":
        hooks.address(value)


def _chosen() -> dict[str, str]:
    return dict(Setting.objects.filter(name__in=NAMES).values_list("name", "value"))


def _counted(chosen: Mapping[str, str]) -> InForce:
    values = {name: getattr(settings, name) for name in NAMES}
    for name, text in chosen.items():
        if name not in settings.GIVEN:
            values[name] = int(text) if name in RANGES else text
    return InForce(**{name.lower(): value for name, value in values.items()})
