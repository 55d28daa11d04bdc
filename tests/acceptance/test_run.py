"""./run on a fresh copy: what it prints, what it serves, how it ends, and what it refuses."""

import json
import re
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from tests.acceptance.product import PATH, Product, children, living, until

PARTS = ["fork server", "scheduler", "web server"]  # in the order of their start


def test_a_first_start_tells_where_it_is_and_ctrl_c_leaves_nothing(fresh: Product) -> None:
    with fresh.started() as up:
        address = f"http://localhost:{fresh.port}"
        first, second, *_ = up.text.splitlines()
        assert first == f"Billclock is at {address}   (Ctrl-C stops it)"
        assert up.text.count("/setup/") == 1
        link = re.search(rf"{address}(/setup/\S+)", second)
        assert link
        assert fresh.get(link[1])[0] == 200
        status, health = fresh.get("/healthz")
        assert status == 200
        assert json.loads(health)["status"] == "running"
        assert fresh.get("/")[0] == 302  # nobody sees anything who has not signed in
        parts = children(up.process.pid)
        assert len(parts) == len(PARTS)
        up.interrupt()
        assert _ends(parts) == parts[::-1]
        assert up.process.wait(10) == 0
    assert until(lambda: not living(fresh.home))
    assert not (fresh.home / "daemon.sock").exists()
    assert "Traceback" not in up.text


def _ends(pids: list[int]) -> list[int]:
    """Wait for the end of processes and give them in the order of their ends.

    Of those that one look finds gone, the last given counts as the first that ended: each is looked
    at after those that it has to end before.
    """
    ended: list[int] = []
    deadline = time.monotonic() + 20
    while len(ended) < len(pids) and time.monotonic() < deadline:
        gone = [p for p in pids if p not in ended and not Path(f"/proc/{p}").exists()]
        ended += reversed(gone)
        time.sleep(0.0005)
    return ended


def test_ctrl_c_ends_running_jobs_and_a_second_start_is_quick_and_repeats_none(
    product: Product,
) -> None:
    product.install(b"0 0 1 1 * trap 'echo told; exit 4' TERM; echo begun; sleep 60 & wait\n")
    with product.started() as up:
        (key,) = (row["key"] for row in product.entries().values())
        run = product.ask("run-now", entry=int(key))["run"]
        until(lambda: product.output(run) == b"begun\n")
        assert up.end() == 0
    (row,) = product.runs()
    assert (row["outcome"], row["reason"]) == ("stopped", "the scheduler was stopped")
    assert product.output(run) == b"begun\ntold\n"
    assert until(lambda: not living(product.home))
    with product.started() as up:
        took = up.wait()
        print(f"second start: {took:.2f} s")  # noqa: T201 - a figure to read
        assert took < 6
        assert [row["run"] for row in product.runs()] == [run]


def refusal(product: Product, *words: str, **settings: str) -> tuple[int, str]:
    """Start where it can't be; give the exit code and the one sentence."""
    done = product.run(*words, **settings)
    told = (done.stdout + done.stderr).decode()
    assert told.count("\n") == 1, told
    assert "Traceback" not in told
    assert until(lambda: not living(product.home))
    return done.returncode, told


def test_a_port_that_is_taken_is_told(product: Product) -> None:
    with socket.create_server(("127.0.0.1", product.port)):
        code, told = refusal(product)
    assert code == 2
    assert f"port {product.port} of 127.0.0.1 is taken" in told
    assert f"BILLCLOCK_PORT={product.port + 1} ./run" in told


def test_a_second_scheduler_of_the_folder_is_refused_and_does_the_first_no_harm(
    product: Product,
) -> None:
    with product.started() as up:
        daemon = product.daemon()
        link = re.search(r"/setup/\S+", up.text)
        assert link
        second = Product(product.checkout, product.home)
        for words in ((), ("billclock", "scheduler")):
            done = second.run(*words)
            assert done.returncode == 3
            assert f"another scheduler runs in {product.home}: stop it" in done.stderr.decode()
            assert done.stdout == b""
        assert product.ask("status")["ok"]
        assert product.get(link[0])[0] == 200
        assert Path(f"/proc/{daemon}").exists()


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("PORT", "eighty", "'eighty' is not a whole number"),
        ("PORT", "99999", "99999 is no port"),
        ("RUNS", "perhaps", "'perhaps' is not yes or no"),
        ("BIND", "192.0.2.1", "can't listen on 192.0.2.1"),
        ("HOME", "/proc/home", "can't write /proc/home"),
        ("HOME", "/dev/null/home", "/dev/null/home"),
        ("METRICS_KEY_FILE", "/nowhere/key", "/nowhere/key"),
    ],
)
def test_a_setting_that_can_not_be_is_one_sentence(
    product: Product, name: str, value: str, told: str
) -> None:
    code, sentence = refusal(product, **{f"BILLCLOCK_{name}": value})
    assert code == 2
    assert told in sentence
    assert "BILLCLOCK_" in sentence


@pytest.mark.root
def test_a_folder_that_can_not_be_written_is_told(product: Product) -> None:
    frozen = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'
    product.wrapper = ("unshare", "-m", "sh", "-c", frozen, str(product.home))
    code, told = refusal(product)
    assert code == 2
    assert f"can't write {product.home}" in told
    assert "name another folder with BILLCLOCK_HOME" in told


@pytest.mark.parametrize("python", ["exit 1", None])
def test_without_a_python_that_is_new_enough_it_says_what_to_install(
    product: Product, tmp_path: Path, python: str | None
) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("sh", "dirname", "cmp", "id", "cat", "mkdir"):
        (found,) = [Path(p, name) for p in PATH.split(":") if Path(p, name).exists()][:1]
        (tools / name).symlink_to(found)
    if python:
        (tools / "python3").write_text(f"#!/bin/sh\n{python}\n")
        (tools / "python3").chmod(0o755)
    venv = str(tmp_path / "no-venv")
    code, told = refusal(product, PATH=str(tools), BILLCLOCK_VENV=venv)
    assert code == 2
    assert "needs Python 3.11 or newer" in told
    assert "apt-get install python3 python3-venv" in told


def test_a_word_that_is_no_command_is_told(product: Product) -> None:
    code, told = refusal(product, "sevre")
    assert code == 2
    assert "./run --help lists them" in told


def test_a_hang_up_ends_it_too(product: Product) -> None:
    with product.started() as up:
        up.process.send_signal(signal.SIGHUP)
        assert up.process.wait(20) == 0
    assert until(lambda: not living(product.home))


def test_a_supervisor_that_is_killed_takes_its_parts_along(product: Product) -> None:
    with product.started() as up:
        up.process.kill()
        up.process.wait(10)
    assert until(lambda: not living(product.home))
    with product.started():
        assert product.ask("status")["ok"]


def test_help_names_every_way_in(product: Product) -> None:
    done = product.run("--help")
    assert done.returncode == 0
    for word in ("./run ", "test", "check", "bench", "billclock"):
        assert word in done.stdout.decode()
    assert subprocess.run(["sh", "-n", product.checkout / "run"], check=True).returncode == 0
