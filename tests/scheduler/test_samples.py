"""What runs take of the machine: read of a tree, kept beside the output, let go with it."""

import subprocess
import time
from pathlib import Path

from django.conf import LazySettings

from billclock.scheduler import output, samples
from billclock.scheduler.executors import usage
from billclock.scheduler.samples import Sample


def test_a_tree_is_counted_with_all_it_began() -> None:
    busy = "sh -c 'i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; sleep 30' & wait"
    with subprocess.Popen(["/bin/sh", "-c", busy], start_new_session=True) as process:
        try:
            deadline = time.monotonic() + 20
            while (now := usage.taken(process.pid)) is None or now[0] < 0.01:
                assert time.monotonic() < deadline
                time.sleep(0.05)
            assert now[1] > 200
        finally:
            subprocess.run(["/bin/kill", "--", f"-{process.pid}"], check=True)


def test_of_a_process_that_is_gone_nothing_is_taken() -> None:
    process = subprocess.Popen(["/bin/true"])
    process.wait()
    assert usage.taken(process.pid) is None


def test_samples_are_kept_beside_the_output_and_go_with_it(
    tmp_path: Path, settings: LazySettings
) -> None:
    settings.RUN_OUTPUTS = tmp_path
    output.write_all(7, b"x")
    place = output.path(7)
    told = [Sample(5.0, 0.25, 4096, 12), Sample(6.5, 0.5, 8192, 40)]
    for sample in told:
        samples.add(place, sample)
    assert samples.read(place) == told
    assert samples.path(place).stat().st_mode & 0o077 == 0
    output.remove([7])
    assert samples.read(place) == []
    assert list(tmp_path.iterdir()) == []


def test_a_day_of_samples_is_a_small_file() -> None:
    age, count = samples.AFTER, 0
    while age < 86400:
        age += samples.pause(age)
        count += 1
    assert count < 2500


def test_where_no_file_can_be_written_nothing_happens(tmp_path: Path) -> None:
    samples.add(tmp_path / "gone" / "1.log", Sample(5.0, 0.0, 1, 1))
