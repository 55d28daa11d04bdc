"""Two tables made one, and a system table made a user's."""

from billclock.cron.crontab import Crontab
from billclock.cron.joining import joined, of_user


def test_what_is_new_comes_behind_with_its_words_and_what_is_known_does_not() -> None:
    held = Crontab.parse(b"0 1 * * * /bin/a")
    fresh = Crontab.parse(b"## known\n0 1 * * *  /bin/a\n## new\n0 2 * * * /bin/b\n")
    found = joined(held, fresh)
    assert bytes(found.crontab) == b"0 1 * * * /bin/a\n\n## new\n0 2 * * * /bin/b\n"
    assert (found.added, [entry.line for entry in found.known]) == (1, [2])


def test_with_nothing_new_the_table_is_as_it_was() -> None:
    held = Crontab.parse(b"MAILTO=x\n0 1 * * * /bin/a")
    assert joined(held, Crontab.parse(b"MAILTO=y\n0 1 * * * /bin/a\n")).crontab is held


def test_a_system_table_becomes_a_users_without_its_column() -> None:
    system = Crontab.parse(
        b"SHELL=/bin/sh\n17 *\t* * *\troot    cd / && run-parts\n@daily  www-data  /bin/w\n", True
    )
    own, foreign = of_user(system, "root")
    assert bytes(own) == b"SHELL=/bin/sh\n17 *\t* * *\tcd / && run-parts\n"
    assert [entry.user for entry in foreign] == ["www-data"]
    assert [entry.command for entry in own.entries] == [b"cd / && run-parts"]


def test_a_user_called_as_a_field_or_a_command_is_found_in_his_column() -> None:
    system = Crontab.parse(b"0 0 * * mon mon mon --root\n", True)
    assert bytes(of_user(system, "mon")[0]) == b"0 0 * * mon mon --root\n"
