"""What a command means to cron and the shell: first word, quotes, joined commands, the report."""

import pytest

from billclock.cron.shell import first_word, has_open_quote, is_simple, mails, with_mails


@pytest.mark.parametrize(
    ("command", "word"),
    [
        (b"/bin/x --y", b"/bin/x"),
        (b"FOO=1 BAR='a b' /bin/x", b"/bin/x"),
        (b"( cd /tmp && ls )", b"cd"),
        (b"! test -f x", b"test"),
        (b"x;y", b"x"),
        (b"", b""),
    ],
)
def test_the_first_word_names_the_program(command, word):
    assert first_word(command) == word


@pytest.mark.parametrize(
    ("command", "simple"),
    [
        (b"/bin/x >/dev/null 2>&1", True),
        (b"/bin/x &>/dev/null", True),
        (b"/bin/x 'a;b|c&d'", True),
        (b'/bin/x "a;b" \\; c', True),
        (b"/bin/x # a; b", True),
        (b"a; b", False),
        (b"a | b", False),
        (b"a && b", False),
        (b"a &", False),
        (b"a 'b", False),
        (b'a "b\\" ; c', False),
    ],
)
def test_a_simple_command_joins_nothing_outside_quotes(command, simple):
    assert is_simple(command) == simple


@pytest.mark.parametrize(
    ("command", "is_open"),
    [
        (b"a 'b c", True),
        (b'a "b \\" c', True),
        (b"a 'b \\' c", False),
        (b"a \\' b", False),
        (b"a # it's", False),
        (b"a 'b' \"c\"", False),
    ],
)
def test_an_open_quote_is_seen_as_the_shell_sees_it(command, is_open):
    assert has_open_quote(command) == is_open


@pytest.mark.parametrize(
    ("mailed", "silent"),
    [
        (b"/bin/x", b"/bin/x >/dev/null 2>&1"),
        (b"mail joe%Joe,%bye", b"mail joe >/dev/null 2>&1%Joe,%bye"),
        (b"date +\\%F", b"date +\\%F >/dev/null 2>&1"),
    ],
)
def test_the_report_is_switched_off_and_on_by_the_ending(mailed, silent):
    assert mails(mailed)
    assert not mails(silent)
    assert with_mails(mailed, wanted=False) == silent
    assert with_mails(silent, wanted=True) == mailed
    assert with_mails(mailed, wanted=True) == mailed
