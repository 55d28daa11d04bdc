"""What other limits would delete is what they then delete, with what jobs keep by themselves."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.test import Client

from billclock import clock
from billclock.scheduler import desk, output
from billclock.scheduler.control import NotRunningError
from billclock.scheduler.models import Entry, Run
from billclock.scheduler.retention import prune
from billclock.web.retention_use import Limits, Loss, loss
from tests.web.conftest import ran

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])

Write = Callable[..., list[Entry]]
SignIn = Callable[..., Client]
LONG = "# billclock: keep=90d\n1 1 * * * /bin/long\n"
SHORT = "2 1 * * * /bin/short\n"
SMALL = "# billclock: keep=1M\n3 1 * * * /bin/small\n"
MIB = 1024 * 1024


def printed(entry: Entry, *days: int) -> None:
    """Have runs so many days ago that printed as much as is kept of one run."""
    for age in days:
        run = ran(entry, clock.now() - timedelta(days=age), output_size=5 * MIB)
        output.write_all(run.pk, b"x" * MIB)


@pytest.fixture(autouse=True)
def _outputs(settings: LazySettings, tmp_path: Path) -> None:
    settings.RUN_OUTPUTS = tmp_path / "runs"


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        (Limits(30, 200, 100), Loss(1, 0, 0)),
        (Limits(15, 200, 100), Loss(2, 0, 0)),
        (Limits(15, 2, 100), Loss(2, 1, 0)),
        (Limits(365, 1, 100), Loss(0, 5, 0)),
    ],
)
def test_the_trial_says_what_the_limits_then_delete(
    table: Write, settings: LazySettings, limits: Limits, expected: Loss
) -> None:
    long, short, small = table(LONG + SHORT + SMALL)
    printed(long, 80, 40, 20, 1)
    printed(short, 40, 20, 10, 1)
    printed(small, 12, 2, 1)
    told = loss(limits, clock.now())
    settings.KEEP_DAYS, settings.KEEP_RUNS, settings.KEEP_MIB = (
        limits.days,
        limits.runs,
        limits.mib,
    )
    assert told == expected
    assert prune().runs == told.aged + told.surplus
    assert Run.objects.filter(entry=long).count() == 4


def test_output_that_its_job_does_not_want_takes_no_room(table: Write) -> None:
    short, small = table(SHORT + SMALL)
    printed(short, 3, 2, 1)
    printed(small, 4, 3, 2, 1)
    assert loss(Limits(30, 200, 2), clock.now()).size == 2 * MIB
    assert loss(Limits(30, 200, 4), clock.now()).size == 0


def test_of_tables_that_cannot_be_read_nothing_is_said_to_go(
    table: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    (short,) = table(SHORT)
    printed(short, 40, 20, 1)

    def silent() -> list[str]:
        raise NotRunningError

    monkeypatch.setattr(desk, "names", silent)
    told = loss(Limits(1, 1, 100), clock.now())
    assert (told.aged, told.surplus) == (0, 0)


def test_the_page_says_that_what_jobs_keep_stays(table: Write, signed_in: SignIn) -> None:
    (long,) = table(LONG)
    printed(long, 80, 40, 1)
    page = " ".join(signed_in().get("/settings?days=2").content.decode().split())
    assert "0 runs would go for their age, 0 more because" in page
    assert "What jobs keep by their own settings is counted as kept." in page
