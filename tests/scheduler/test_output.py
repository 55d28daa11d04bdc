"""What is kept of a run's output, how it is read meanwhile, and what it costs the disk."""

import itertools
import os
from pathlib import Path

import pytest

from billclock.scheduler import output
from billclock.scheduler.output import HEAD, TAIL

_numbers = itertools.count(7_000_001)
MIB = 1024 * 1024


@pytest.fixture
def run() -> int:
    return next(_numbers)


def numbered(size: int) -> bytes:
    """Bytes of which every eight tell their place."""
    return b"".join(b"%07d\n" % (n % 10**7) for n in range(size // 8))


def append(run: int, data: bytes) -> None:
    with output.path(run).open("ab") as file:
        file.write(data)


def read_on(run: int, offset: int = 0) -> tuple[bytes, int, int]:
    """Read to the present end; give the data, the next offset and all that was left out."""
    data, left_out = b"", 0
    while (chunk := output.read(run, offset)).data:
        data, offset, left_out = data + chunk.data, chunk.next, left_out + chunk.left_out
    return data, offset, left_out


def test_a_small_output_is_kept_as_it_is(run: int) -> None:
    output.write_all(run, b"one\ntwo\n")
    assert output.read(run) == (b"one\ntwo\n", 8, 0)
    assert output.read(run, 4) == (b"two\n", 8, 0)
    assert output.read(run, 8) == (b"", 8, 0)
    assert output.read(run, 0, 3) == (b"one", 3, 0)
    assert output.size(run) == 8
    assert output.path(run).read_bytes() == b"one\ntwo\n"


def test_a_run_without_output_reads_as_empty(run: int) -> None:
    assert output.read(run, 5) == (b"", 5, 0)
    assert (output.size(run), output.disk_size(run)) == (0, 0)


def test_of_a_large_output_head_and_tail_are_kept(run: int) -> None:
    data = numbered(3 * MIB)
    output.write_all(run, data)
    left_out = len(data) - HEAD - TAIL
    assert read_on(run) == (data[:HEAD] + data[-TAIL:], len(data), left_out)
    assert output.size(run) == len(data)
    kept = output.path(run).read_bytes()
    assert kept.startswith(data[:HEAD])
    assert kept.endswith(data[-TAIL:])
    assert b"[Billclock left out" in kept[HEAD : HEAD + 100]
    assert str(left_out).encode() in kept[HEAD : HEAD + 100]


def test_one_byte_over_the_cap_loses_nothing_needlessly(run: int) -> None:
    data = numbered(HEAD + TAIL)
    output.write_all(run, data)
    assert output.path(run).read_bytes() == data


def test_the_middle_is_given_back_while_the_output_grows(run: int) -> None:
    os.close(output.create(output.path(run)))
    place, hole, written = output.path(run), 0, b""
    for _ in range(4):
        more = numbered(8 * MIB)
        append(run, more)
        written += more
        size, hole = output.trim(place, hole)
        assert size == len(written)
        assert output.disk_size(run) < 2 * MIB
        data, offset, left_out = read_on(run)
        assert offset == len(written)
        assert left_out == len(written) - len(data)
        assert data.startswith(written[:HEAD])
        assert written.endswith(data[HEAD:])
        assert len(data) >= HEAD + TAIL
    assert output.close(place) == len(written)
    assert read_on(run)[0] == written[:HEAD] + written[-TAIL:]


def test_a_reader_goes_on_at_its_offset_when_the_run_ends(run: int) -> None:
    os.close(output.create(output.path(run)))
    first = numbered(16 * MIB)
    append(run, first)
    output.trim(output.path(run), 0)
    _, offset, _ = read_on(run)
    assert offset == len(first)
    append(run, b"the last line\n")
    output.close(output.path(run))
    assert output.read(run, offset) == (b"the last line\n", offset + 14, 0)


def test_a_reader_in_the_middle_is_told_how_much_is_gone(run: int) -> None:
    data = numbered(4 * MIB)
    output.write_all(run, data)
    chunk = output.read(run, HEAD + 1000, 10)
    assert chunk.left_out == len(data) - TAIL - HEAD - 1000
    assert chunk.data == data[-TAIL:][:10]
    assert chunk.next == len(data) - TAIL + 10


def test_squeezing_serves_where_holes_cannot_be_made(run: int) -> None:
    os.close(output.create(output.path(run)))
    written = b""
    for _ in range(3):
        more = numbered(3 * MIB)
        append(run, more)
        written += more
        output.squeeze(output.path(run))
        assert output.path(run).stat().st_size < 2 * MIB
        data, offset, left_out = read_on(run)
        assert (offset, left_out) == (len(written), len(written) - len(data))
        assert data == written[:HEAD] + written[-TAIL:]
    assert output.size(run) == len(written)


def test_a_squeezed_output_that_grows_again_can_have_a_hole_too(run: int) -> None:
    data = numbered(3 * MIB)
    output.write_all(run, data)
    more = numbered(16 * MIB)
    append(run, more)
    output.trim(output.path(run), 0)
    assert output.disk_size(run) < 2 * MIB
    written = data + more
    kept, offset, left_out = read_on(run)
    assert offset == len(written)
    assert left_out == len(written) - len(kept)
    assert output.close(output.path(run)) == len(written)
    assert read_on(run)[0] == written[:HEAD] + written[-TAIL:]


@pytest.mark.parametrize("left_out", [10**20 - 1, 2**63 - 1, 10**18, 10**13, 0])
def test_a_command_that_prints_our_marker_lies_of_itself_alone(run: int, left_out: int) -> None:
    """A size that no column holds would end the scheduler, and the next one that takes it up."""
    data = b"a" * HEAD + b"\n[Billclock left out %20d bytes here]\n" % left_out + b"tail\n"
    output.write_all(run, data)
    assert output.size(run) < 10**14
    text, _end, gone = read_on(run)
    assert text.startswith(b"a" * HEAD)
    assert text.endswith(b"tail\n")
    assert gone < 10**14


def test_whoever_still_writes_is_seen_and_a_reader_is_not(run: int) -> None:
    writing = output.create(output.path(run))
    assert output.is_held(output.path(run))
    os.close(writing)
    with output.path(run).open("rb"):
        assert not output.is_held(output.path(run))


def test_removing_gives_the_disk_back(run: int) -> None:
    output.write_all(run, numbered(MIB))
    assert output.remove([run, run + 10**6]) >= MIB
    assert not output.path(run).exists()
    assert output.size(run) == 0


def test_folders_hold_a_thousand_runs_each() -> None:
    places = {output.path(run).parent for run in range(5_000, 7_000)}
    assert [Path(place).name for place in sorted(places)] == ["5", "6"]
