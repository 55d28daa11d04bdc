"""Entries that start others: names that lead to one entry, and rings."""

import pytest

from billclock.cron.crontab import Crontab
from billclock.cron.lint import lint

TWO = b"""## Back up
# billclock: %s
0 3 * * * /bin/true
## Send away
0 4 * * * /bin/echo
"""


def chain(text: bytes) -> list[tuple[str, str, int, int]]:
    """Give the findings about chains: level, code, line, column."""
    found = lint(Crontab.parse(text))
    return [(f.level, f.code, f.line, f.column) for f in found if f.code.startswith("chain")]


def test_an_entry_is_called_by_its_description():
    assert chain(TWO % b'on-success="Send  away"') == []


def test_a_name_comes_before_descriptions():
    named = TWO.replace(b"## Send away\n", b"## Send away\n# billclock: name=away\n")
    both = named + b"## away\n5 4 * * * /bin/echo 2\n"
    assert chain(both % b"on-success=away on-failure=away") == []


@pytest.mark.parametrize("more", [b"## Send away\n5 4 * * * /bin/echo 2\n", b""])
def test_what_no_or_several_entries_are_called_is_told_at_its_key(more):
    name = b'on-success="Send away"' if more else b"timeout=1h on-failure=gone"
    column = 14 if more else 25
    assert chain((TWO % name) + more) == [("warning", "chain_nowhere", 2, column)]


def test_a_switched_off_entry_is_called_nothing():
    assert (
        chain((TWO % b'on-success="Send away"').replace(b"0 4", b"#0 4"))[0][1] == "chain_nowhere"
    )


def test_a_ring_is_an_error_of_each_entry_in_it():
    ring = TWO.replace(b"## Send away\n", b'## Send away\n# billclock: on-failure="Back up"\n')
    assert chain(ring % b'on-success="Send away"') == [
        ("error", "chain_ring", 2, 14),
        ("error", "chain_ring", 5, 14),
    ]
    assert chain(TWO % b'on-success="Back up"')[0][:2] == ("error", "chain_ring")


@pytest.mark.parametrize(
    "address",
    [b"ftp://a/", b"https://", b"x", b"http://h:0/", b"http://h:99999/", "http://ä/".encode()],
)
def test_an_address_that_no_run_can_be_told_to_is_told_without_it(address):
    found = lint(Crontab.parse(TWO % (b"webhook=" + address)))
    told = [f.message for f in found if f.code == "bad_directive"]
    assert told == ["webhook: its value is not an address such as https://example.org/hook"]
