"""Every command answers at once, ends with the right code, and never shows a traceback."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from billclock.commands.arguments import COMMANDS
from billclock.commands.billclock import main
from tests.commands.conftest import CRON, Command


@pytest.mark.parametrize(
    "call",
    [
        "from billclock.commands.billclock import main; code = main(['runs', '-n', '0'])",
        "from billclock.commands.billclock import main; code = main(['nonsense'])",
        "from billclock.commands.mgrctl import main; code = main([])",
        "from billclock.commands.billmaintain import main; code = main([])",
        "from billclock.commands.ntsms import main; code = main(['--command', 'stop'])",
    ],
)
def test_nothing_heavy_is_loaded_before_the_arguments_are_right(call: str) -> None:
    program = f"import sys\n{call}\nprint(code, *sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    code, *modules = done.stdout.split()
    assert code == "2"
    assert not {"django", "billclock.settings", "billclock.cron", "typing"} & set(modules)


def test_every_command_has_help(capsys: pytest.CaptureFixture[str]) -> None:
    for word, (_, meaning, _) in COMMANDS.items():
        assert main([word, "--help"]) == 0
        assert f"usage: billclock {word}" in capsys.readouterr().out
        assert main(["--help"]) == 0
        assert f"{word}  " in (told := capsys.readouterr().out)
        assert meaning in told


def test_a_misspelt_command_is_told_with_the_one_meant(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["contab"]) == 2
    assert "did you mean crontab?" in capsys.readouterr().err


def test_a_reader_that_leaves_early_ends_the_command_quietly(bin_folder: Path, home: Path) -> None:
    words = [bin_folder / "billclock", "next", "* * * * *", "-n", "100000"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(words, env=CRON, **pipes) as process:  # type: ignore[call-overload]
        assert process.stdout.readline() == b"Every minute\n"
        process.stdout.close()
        assert process.wait(timeout=30) == 141
        assert process.stderr.read() == b""


def test_output_that_can_not_be_written_is_a_failure(command: Command) -> None:
    with Path("/dev/full").open("wb") as full:
        done = command(
            "billclock", "next", "@daily", capture_output=False, stdout=full, stderr=subprocess.PIPE
        )
    assert done.returncode == 1
    assert done.stderr == b"billclock next: No space left on device\n"


@pytest.mark.parametrize(
    ("closing", "code"), [("<&-", 1), (">&-", 0), ("2>&-", 0), ("<&- >&- 2>&-", 1)]
)
def test_closed_streams_do_no_harm(bin_folder: Path, closing: str, code: int) -> None:
    # nothing can be read from a closed input: an empty table has nothing to import
    word = "next @daily -n 1" if code == 0 else "import -"
    line = f"{bin_folder}/billclock {word} {closing}"
    done = subprocess.run(["/bin/sh", "-c", line], env=CRON, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (code, b"")


def test_ctrl_c_ends_with_130(bin_folder: Path) -> None:
    words = [bin_folder / "billclock", "next", "* * * * *", "-n", "100000"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(words, env=CRON, **pipes) as process:  # type: ignore[call-overload]
        process.stdout.readline()  # it is at work, and will wait for us to read the rest
        process.send_signal(signal.SIGINT)
        process.stdout.read()
        assert process.wait(timeout=30) == 130
        assert process.stderr.read() == b""


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("BILLCLOCK_PORT", "eighty"),
        ("BILLCLOCK_RUNS", "perhaps"),
        ("BILLCLOCK_TRUSTED_PROXIES", "10.0.0.0/8,proxy"),
        ("BILLCLOCK_METRICS_KEY_FILE", "/nowhere/key"),
    ],
)
def test_a_bad_setting_is_one_sentence(command: Command, variable: str, value: str) -> None:
    done = command("billclock", "runs", env={variable: value})
    assert done.returncode == 2
    assert done.stderr.count(b"\n") == 1
    assert value.encode() in done.stderr
    assert done.stderr.startswith(b"billclock runs: ")


@pytest.mark.parametrize(
    "words",
    [
        ["billclock", b"\xff"],
        ["billclock", "next", b"\xff * * * *"],
        ["billclock", "next", "@daily", "--zone", b"\xff"],
        ["billclock", "next", "@daily", "--from", b"\xff"],
        ["billclock", "next", "@daily", "-n", b"\xff"],
        ["billclock", "next", "@daily", "-n", "9" * 5000],
        ["billclock", "check", b"/nowhere/\xff"],
        ["billclock", "import", b"/nowhere/\xff"],
        ["billclock", "crontab", "-u", b"\xff", "-l"],
        ["billclock", "crontab", b"/nowhere/\xff"],
        ["billclock", "runs", "--outcome", b"\xff"],
        ["billclock", "runs", "--entry", "9" * 5000],
        ["billclock", "stop", "9" * 15],
        ["billclock", "pause", "--tag", b"\xff"],
        ["billclock", "shims", b"/dev/null/\xff"],
        ["mgrctl", b"\xff"],
        ["mgrctl", "scheduler", b"\xff=\xfe"],
        ["mgrctl", "-e", b"\xff=$\xfe", "scheduler"],
        ["billmaintain", "--command", b"\xff"],
        ["billmaintain", "--command", "billdaily", "--date", b"\xff"],
        ["billmaintain", "--command", "billdaily", "--explain", b"\xff"],
        ["ntsms", "--command", b"\xff"],
    ],
)
def test_hostile_words_get_a_sentence(command: Command, words: list[str | bytes]) -> None:
    done = command(*words, env={os.fsdecode(b"\xfe"): "x"})
    assert done.returncode in (1, 2)
    assert b"Traceback" not in done.stderr
    assert done.stderr.strip()
