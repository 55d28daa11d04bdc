"""Two edits of one text: put together where they touch different lines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billclock.scheduler.merging import changed_lines, edits_between, merge, split, unified

BASE = b"a\nb\nc\nd\n"
texts = st.lists(st.sampled_from([b"a\n", b"b\n", b"c\n", b"\n"]), max_size=8).map(b"".join)


@pytest.mark.parametrize(
    ("mine", "theirs", "merged"),
    [
        (b"A\nb\nc\nd\n", b"a\nb\nc\nD\n", b"A\nb\nc\nD\n"),
        (b"a\nB\nc\nd\n", b"a\nb\nC\nd\n", b"a\nB\nC\nd\n"),
        (b"a\nx\nb\nc\nd\n", b"a\nb\nc\n", b"a\nx\nb\nc\n"),
        (b"a\nb\nc\n", b"a\nb\nc\n", b"a\nb\nc\n"),
        (b"a\nB\nc\nd\nx\n", b"a\nB\nc\nD\n", b"a\nB\nc\nD\nx\n"),
        (b"a\nB\nc\nd\n", b"a\nX\nc\nd\n", None),
        (b"a\nb\nc\nd\nx\n", b"a\nb\nc\nd\ny\n", None),
        (b"", b"a\nb\nC\nd\n", None),
    ],
)
def test_merge(mine: bytes, theirs: bytes, merged: bytes | None) -> None:
    assert merge(BASE, mine, theirs) == merged
    assert merge(BASE, theirs, mine) == merged


def test_a_line_behind_one_without_its_end_is_not_glued_to_it() -> None:
    assert merge(b"a\nb", b"a\nb\nc\n", b"a\nB") is None


@given(texts, texts)
def test_an_edit_merged_with_none_is_that_edit(base: bytes, new: bytes) -> None:
    assert merge(base, new, base) == new
    assert merge(base, base, new) == new
    assert merge(base, new, new) == new


@given(texts, texts, texts)
def test_a_merge_holds_both_edits_or_is_refused(base: bytes, mine: bytes, theirs: bytes) -> None:
    merged = merge(base, mine, theirs)
    if merged is not None:
        added = [line for edit in edits_between(base, mine) for line in edit.lines]
        added += [line for edit in edits_between(base, theirs) for line in edit.lines]
        assert set(added) <= set(split(merged))


@given(texts, texts)
def test_outside_the_changed_lines_a_text_is_as_it_was(old: bytes, new: bytes) -> None:
    first, behind = changed_lines(old, new)
    lines = new.split(b"\n")
    assert old.split(b"\n")[:first] == lines[:first]
    kept = len(lines) - behind
    assert kept == 0 or old.split(b"\n")[-kept:] == lines[behind:]


def test_the_difference_is_shown_as_diff_shows_it() -> None:
    assert unified(b"a\nb\n", b"a\nc\n") == [b"@@ -1,2 +1,2 @@\n", b" a\n", b"-b\n", b"+c\n"]
    assert unified(b"a\n", b"a\n") == []
