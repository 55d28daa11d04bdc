"""Secrets of a crontab's text become stars; all else, and what runs when, stays as it was."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billclock.cron import veiling
from billclock.cron.crontab import Crontab


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"API_TOKEN=abc", b"API_TOKEN=******"),
        (b"  \"DB_PASS\" = 'a b' \r", b'  "DB_PASS" = ****** \r'),
        (b"#OLD_SECRET=abc", b"#OLD_SECRET=******"),
        (b"DATABASE=postgres://me:word@host/db", b"DATABASE=******"),
        (b"# billclock: env=TOKEN=abc", b"# billclock: env=TOKEN=******"),
        (
            b"# billclock: nice=5 env=\"MODE='a b' DB_PASSWORD=x\"",
            b"# billclock: nice=5 env=\"MODE='a b' DB_PASSWORD=******\"",
        ),
        (b"# billclock: env=broken", b"# billclock: env=******"),
        (
            b"# billclock: webhook=https://me:pw@example.org/hook/abc webhook-when=failure\r",
            b"# billclock: webhook=https://example.org/****** webhook-when=failure\r",
        ),
        (b'# billclock: nice=5 env="TOKEN=abc', b"# billclock: nice=5 ******"),
        (b"# billclock: webhook=ftp://abc", b"# billclock: webhook=******"),
    ],
)
def test_what_may_be_secret_becomes_stars(raw: bytes, shown: bytes) -> None:
    assert veiling.line(raw) == shown
    assert veiling.line(shown) == shown


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"PATH=/bin",
        b"TOKEN=",
        b"MIRROR=https://host/path",
        b"# a token is = a word",
        b"# billclock:   env=LANG=C  nice=5",
        b"# billclock: webhook=https://example.org",
        b"0 1 * * * TOKEN=abc /bin/a",
        b"@daily /bin/a --key=abc",
        b"#0 1 * * * /bin/a PASSWORD=x",
        b"\xff\xfe=1",
    ],
)
def test_all_else_stays(raw: bytes) -> None:
    assert veiling.line(raw) == raw


WORDS = st.sampled_from(
    [
        b"TOKEN=abc", b"0 1 * * * /bin/a", b"# billclock: env=TOKEN=abc webhook=https://h/abc",
        b"#0 2 * * * /bin/b", b"## Night", b'KEY="abc', b'# billclock: env="', b"", b"* * oops",
    ]
)  # fmt: skip


@given(st.lists(st.one_of(WORDS, st.binary(max_size=20)), max_size=8))
def test_any_text_keeps_its_lines_and_entries(lines: list[bytes]) -> None:
    data = b"\n".join(lines)
    shown = veiling.text(data)
    old, new = Crontab.parse(data), Crontab.parse(shown)
    assert len(old.lines) == len(new.lines)
    assert [(one.line, one.raw) for one in old.entries] == [
        (one.line, one.raw) for one in new.entries
    ]
    assert veiling.text(shown) == shown
