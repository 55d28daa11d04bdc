"""What is let go and what is kept."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from billclock import clock
from billclock.outbox import messages
from billclock.outbox.channels import Letter
from billclock.outbox.models import Message
from billclock.scheduler import output
from billclock.scheduler.models import Entry, Outcome, Run, Slot
from billclock.scheduler.retention import BATCH, Pruned, prune
from billclock.scheduler.tables import Tables

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def keeping(settings: Settings, tmp_path: Path) -> Iterator[Settings]:
    settings.KEEP_DAYS, settings.KEEP_RUNS, settings.KEEP_MIB = 30, 200, 2048
    settings.RUN_OUTPUTS = tmp_path
    with clock.at(NOW):
        yield settings


@pytest.fixture
def entry() -> Entry:
    return make_entry()


def make_entry() -> Entry:
    return Entry.objects.create(
        table="root", digest="", command_digest="", expression="", command="x", first_seen=NOW
    )


def ran(entry: Entry, at: datetime, printed: bytes = b"", **changes: object) -> Run:
    slot = Slot.objects.create(entry=entry, planned=at, claimed_at=at, outcome=Outcome.SUCCEEDED)
    given = {"outcome": Outcome.SUCCEEDED, "started": at, "planned": at}
    given["output_size"] = len(printed)
    run = Run.objects.create(slot=slot, entry=entry, **(given | changes))
    if printed:
        output.write_all(run.id, printed)
    return run


def left() -> set[int]:
    return set(Run.objects.values_list("id", flat=True))


def test_runs_older_than_the_days_kept_go_with_outputs_and_slots(entry: Entry) -> None:
    old = ran(entry, NOW - 31 * DAY, b"old")
    young = ran(entry, NOW - 29 * DAY, b"young")
    pruned = prune()
    assert (pruned.runs, pruned.slots, pruned.finished) == (1, 1, True)
    assert pruned.freed > 0
    assert left() == {young.id}
    assert not output.path(old.id).exists()
    assert output.read(young.id).data == b"young"
    assert Slot.objects.get().id == young.slot_id


def test_the_last_run_and_slot_of_an_entry_stay_however_old(entry: Entry) -> None:
    ran(entry, NOW - 800 * DAY)
    last = ran(entry, NOW - 400 * DAY, b"yearly")
    other = ran(make_entry(), NOW - 2 * DAY)
    assert prune().runs == 1
    assert left() == {last.id, other.id}
    assert output.read(last.id).data == b"yearly"
    assert set(Slot.objects.values_list("id", flat=True)) == {last.slot_id, other.slot_id}


def test_a_run_that_goes_on_is_never_let_go(entry: Entry, keeping: Settings) -> None:
    keeping.KEEP_RUNS, keeping.KEEP_MIB = 1, 0
    endless = ran(entry, NOW - 100 * DAY, b"still going", outcome="")
    for days in (50, 20, 10):
        ran(entry, NOW - days * DAY)
    prune()
    assert endless.id in left()
    assert output.read(endless.id).data == b"still going"
    assert Slot.objects.filter(id=endless.slot_id).exists()


def test_a_run_that_never_began_is_as_old_as_its_moment(entry: Entry) -> None:
    skipped = ran(entry, NOW - 31 * DAY, outcome=Outcome.SKIPPED, started=None)
    ran(entry, NOW - 2 * DAY)
    prune()
    assert skipped.id not in left()


def test_slots_without_runs_go_at_the_same_age(entry: Entry) -> None:
    for days in (40, 35, 2):
        Slot.objects.create(
            entry=entry, planned=NOW - days * DAY, claimed_at=NOW, outcome=Outcome.MISSED
        )
    open_slot = Slot.objects.create(entry=entry, planned=NOW - 50 * DAY, claimed_at=NOW)
    ran(make_entry(), NOW - 2 * DAY)
    assert prune().slots == 2
    assert Slot.objects.filter(id=open_slot.id).exists()


def test_beyond_the_number_kept_an_entrys_oldest_runs_go_and_their_slots_stay(
    entry: Entry, keeping: Settings
) -> None:
    keeping.KEEP_RUNS = 5
    mine = [ran(entry, NOW - DAY + timedelta(minutes=n)).id for n in range(12)]
    other = make_entry()
    others = [ran(other, NOW - DAY + timedelta(minutes=n)).id for n in range(5)]
    assert prune().runs == 7
    assert left() == {*mine[7:], *others}
    assert Slot.objects.count() == 17


def test_even_with_no_runs_to_keep_the_last_one_stays(entry: Entry, keeping: Settings) -> None:
    keeping.KEEP_RUNS = 0
    runs = [ran(entry, NOW - DAY + timedelta(minutes=n)).id for n in range(3)]
    prune()
    assert left() == {runs[-1]}


def test_beyond_the_size_kept_the_oldest_outputs_go_but_not_their_runs(
    entry: Entry, keeping: Settings
) -> None:
    keeping.KEEP_MIB = 1
    runs = [
        ran(entry, NOW - DAY + timedelta(minutes=n), b"x" * 300_000 if n != 2 else b"")
        for n in range(6)
    ]
    pruned = prune()
    assert pruned.freed >= 600_000
    assert [output.path(run.id).exists() for run in runs] == [False, False, False, True, True, True]
    assert len(left()) == 6
    assert prune().freed == 0


def test_an_output_counts_as_much_as_is_kept_of_it(entry: Entry, keeping: Settings) -> None:
    keeping.KEEP_MIB = 3
    runs = [ran(entry, NOW - DAY + timedelta(minutes=n), b"x" * 9_000_000) for n in range(3)]
    prune()
    assert all(output.path(run.id).exists() for run in runs)


def test_after_a_jump_of_the_clock_nothing_goes_for_its_age_for_a_day(entry: Entry) -> None:
    for n in range(5):
        ran(entry, NOW - DAY + timedelta(hours=n))
    later = NOW + 3650 * DAY
    with clock.at(later):
        assert prune() == Pruned(finished=True)
        ran(entry, later)
    with clock.at(later + timedelta(hours=23)):
        assert prune().runs == 0
    with clock.at(later + timedelta(hours=25)):
        assert prune().runs == 5


def test_old_report_mails_go_and_others_stay(entry: Entry) -> None:
    ran(entry, NOW - 2 * DAY)
    for key, group, days in (("1", "report:root", 31), ("2", "report:root", 29), ("3", "news", 31)):
        messages.put(Letter("mail", key, ("a@x.org",), NOW - days * DAY, group=group))
    assert prune().mails == 1
    assert set(Message.objects.values_list("dedupe_key", flat=True)) == {"2", "3"}


def test_a_call_ends_with_its_time_and_the_next_one_goes_on(
    entry: Entry, keeping: Settings
) -> None:
    keeping.KEEP_RUNS = 1
    Run.objects.bulk_create(
        Run(entry=entry, outcome=Outcome.SUCCEEDED, started=NOW - DAY) for _ in range(5 * BATCH)
    )
    first = prune(budget_seconds=0)
    assert not first.finished
    calls = 1
    while not prune(budget_seconds=0.02).finished:
        calls += 1
        assert calls < 100
    assert Run.objects.count() == 1


def test_nothing_at_all_is_soon_done() -> None:
    assert prune() == Pruned(finished=True)


def keeps(settings: Settings, tmp_path: Path, text: str) -> list[Entry]:
    """Put a table into a spool of this test's and give its entries."""
    settings.SPOOL = tmp_path / "spool"
    settings.SPOOL.mkdir()
    (settings.SPOOL / "root").write_text(text)
    return list(Entry.objects.filter(pk__in=Tables().table("root").load().keys).order_by("line"))


def there(runs: list[Run]) -> list[bool]:
    return [output.path(run.pk).exists() for run in runs]


def test_an_entry_keeps_its_outputs_for_the_days_it_names(
    keeping: Settings, tmp_path: Path
) -> None:
    keeping.KEEP_RUNS = 2
    text = (
        "# billclock: keep=90d\n1 1 * * * /bin/long\n# billclock: keep=7d\n2 1 * * * /bin/short\n"
    )
    long, short = keeps(keeping, tmp_path, text)
    old, late, *young = [ran(long, NOW - age * DAY, b"x") for age in (91, 89, 20, 8, 3)]
    brief = [ran(short, NOW - age * DAY, b"x") for age in (8, 6)]
    assert prune().finished
    assert left() == {run.pk for run in (late, *young, *brief)}
    assert there([late, *young]) == [True] * 4
    assert there(brief) == [False, True]
    assert old.pk not in left()


def test_an_entry_keeps_no_more_output_than_the_size_it_names(
    keeping: Settings, tmp_path: Path
) -> None:
    kept, other = keeps(
        keeping, tmp_path, "# billclock: keep=1M\n1 1 * * * /bin/a\n2 1 * * * /bin/b\n"
    )
    runs = [ran(kept, NOW - age * DAY, b"x" * 400_000) for age in (4, 3, 2, 1)]
    others = [ran(other, NOW - age * DAY, b"x" * 400_000) for age in (4, 3)]
    keeping.KEEP_MIB = 2  # which all that is kept fits into, but not all that was
    assert prune().freed >= 800_000
    assert there(runs) == [False, False, True, True]
    assert there(others) == [True, True]
    assert len(left()) == 6
    assert prune().freed == 0


def test_of_a_table_that_cannot_be_read_nothing_goes(keeping: Settings, tmp_path: Path) -> None:
    (entry,) = keeps(keeping, tmp_path, "# billclock: keep=90d\n1 1 * * * /bin/a\n")
    runs = {ran(entry, NOW - age * DAY).pk for age in (60, 20)}
    place = keeping.SPOOL / "root"
    place.unlink()
    place.mkdir()
    prune()
    assert left() == runs
