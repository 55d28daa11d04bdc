"""Versions: every text with its author and time, kept long enough, brought back whole."""

from datetime import UTC, datetime, timedelta

import pytest

from billclock import clock
from billclock.scheduler import versions
from billclock.scheduler.errors import NoVersion
from billclock.scheduler.models import Version

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])
START = datetime(2026, 1, 1, tzinfo=UTC)


def record_daily(days: int, step: timedelta) -> None:
    for day in range(days):
        with clock.at(START + day * step):
            versions.record("root", b"text %d\n" % day, "me")


def test_a_version_gives_back_its_bytes_author_and_time() -> None:
    data = bytes(range(256)) * 50
    with clock.at(START):
        versions.record("root", data, "ann", "because")
    version = versions.numbered("root", 1)
    assert versions.text(version) == data
    assert (version.author, version.note, version.at) == ("ann", "because", START)


def test_a_removed_table_is_told_from_an_empty_one() -> None:
    versions.record("root", b"", "me")
    versions.record("root", None, "me")
    assert versions.text(versions.numbered("root", 1)) == b""
    assert versions.text(versions.numbered("root", 2)) is None


def test_each_table_counts_its_own() -> None:
    versions.record("root", b"1", "me")
    versions.record("ann", b"2", "me")
    assert versions.numbered("ann", 1).table == "ann"


def test_of_old_versions_the_last_fifty_stay() -> None:
    record_daily(60, timedelta(days=100))
    numbers = Version.objects.filter(table="root").values_list("number", flat=True)
    assert sorted(numbers) == list(range(11, 61))


def test_all_versions_of_ninety_days_stay() -> None:
    record_daily(120, timedelta(days=1))
    numbers = Version.objects.filter(table="root").values_list("number", flat=True)
    assert sorted(numbers) == list(range(30, 121))


def test_what_was_shown_is_found_by_its_digest() -> None:
    versions.record("root", b"old\n", "me")
    versions.record("root", b"new\n", "me")
    assert versions.shown("root", versions.digest(b"old\n")) == b"old\n"
    assert versions.shown("root", versions.digest(b"never\n")) is None


def test_before_our_first_version_there_was_no_table() -> None:
    assert versions.before(versions.record("root", b"ours\n", "me")) is None


def test_before_a_version_found_outside_nothing_is_known() -> None:
    found = versions.record("root", b"theirs\n", versions.OUTSIDE)
    with pytest.raises(NoVersion):
        versions.before(found)


def test_a_version_that_never_was_is_told() -> None:
    with pytest.raises(NoVersion, match="the table root has no version 7"):
        versions.numbered("root", 7)


def test_a_version_tells_what_it_changed() -> None:
    first = versions.record("root", b"a\nb\n", versions.OUTSIDE)
    assert versions.difference(first)[1:] == [b"+a\n", b"+b\n"]
    second = versions.record("root", b"a\nc\n", "me")
    assert versions.difference(second)[1:] == [b" a\n", b"-b\n", b"+c\n"]
    removed = versions.record("root", None, "me")
    assert versions.difference(removed)[1:] == [b"-a\n", b"-c\n"]
