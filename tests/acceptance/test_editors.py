"""Many hands on one table, and tables of every kind, while the scheduler runs them."""

import random
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.product import ROOT, Product, until

TABLES = ROOT / "tests/data/crontabs"
TABLE = b"## One\n1 1 1 1 * /bin/one\n## Two\n2 2 1 1 * /bin/two\n"
Editing = Callable[[str, str], subprocess.Popen[bytes]]


@pytest.fixture
def editing(product: Product, tmp_path: Path) -> Editing:
    """Begin `crontab -e`; the editor makes a `change` of sed when tmp_path/NAME is there."""

    def begin(name: str, change: str) -> subprocess.Popen[bytes]:
        editor = tmp_path / f"{name}.sh"
        editor.write_text(
            f"#!/bin/sh\ntouch {tmp_path}/{name}.open\n"
            f"until [ -e {tmp_path}/{name} ]; do sleep 0.02; done\nsed -i '{change}' \"$1\"\n"
        )
        editor.chmod(0o755)
        command = product.venv / "bin" / "billclock"
        process = product.begin(command, "crontab", "-e", EDITOR=str(editor))
        until((tmp_path / f"{name}.open").exists)
        return process

    return begin


def test_two_editors_at_once_lose_nothing(
    product: Product, editing: Editing, tmp_path: Path
) -> None:
    product.install(TABLE)
    anna, boris = editing("anna", "s,/bin/one,/bin/anna,"), editing("boris", "s,^2 2,3 3,")
    (tmp_path / "anna").touch()
    told, _ = anna.communicate(timeout=20)
    assert (anna.returncode, told) == (0, b"billclock crontab: installed the new crontab of root\n")
    (tmp_path / "boris").touch()
    told, _ = boris.communicate(timeout=20)
    assert boris.returncode == 0
    assert b"changed by another meanwhile, on other lines: both changes are in force" in told
    both = TABLE.replace(b"/bin/one", b"/bin/anna").replace(b"2 2", b"3 3")
    assert product.billclock("crontab", "-l").stdout == both

    carla, dmitri = editing("carla", "s,/bin/two,/bin/carla,"), editing("dmitri", "s,^3 3.*,,")
    (tmp_path / "carla").touch()
    carla.communicate(timeout=20)
    (tmp_path / "dmitri").touch()
    told, _ = dmitri.communicate(timeout=20)
    assert dmitri.returncode == 1
    assert b"changed by another meanwhile, on the same lines: nothing was changed" in told
    kept = Path(told.decode().rpartition("the edited text is kept in ")[2].split("\n")[0])
    assert b"/bin/two" not in kept.read_bytes()
    assert product.billclock("crontab", "-l").stdout == both.replace(b"/bin/two", b"/bin/carla")
    kept.unlink()
    kept.parent.rmdir()


def test_what_others_write_is_in_force_within_a_second(product: Product) -> None:
    product.install(TABLE)
    table = product.home / "spool" / "root"
    three, four = TABLE + b"3 3 1 1 * /bin/three\n", TABLE + b"3 3 1 1 * a\n4 4 1 1 * b\n"
    with product.started():
        assert product.in_force() == 2
        table.write_bytes(three)
        _within_a_second(product, 3)
        beside = table.with_name(".root.new")
        beside.write_bytes(four)
        beside.replace(table)
        _within_a_second(product, 4)
        (table.with_name("second")).write_bytes(TABLE)
        _within_a_second(product, 6)
        table.unlink()
        _within_a_second(product, 2)
        table.write_bytes(four)
        # an edit of ours works on what is there, whoever wrote it
        product.mgrctl("scheduler.delete", f"elid={product.key('a')}")
        assert product.billclock("crontab", "-l").stdout == TABLE + b"4 4 1 1 * b\n"
        assert until(lambda: product.in_force() == 5, 1)


def _within_a_second(product: Product, entries: int) -> None:
    began = time.monotonic()
    until(lambda: product.in_force() == entries, 1)
    print(f"in force after {1000 * (time.monotonic() - began):.0f} ms")  # noqa: T201 - a figure


def test_a_table_of_a_megabyte_is_edited_and_run(product: Product) -> None:
    lines = [
        f"{n % 60} {n // 60 % 24} 1 1 * /bin/true number {n:05} {'x' * 60}\n" for n in range(11000)
    ]
    table = "".join(lines).encode()
    assert len(table) > 1 << 20
    with product.started():
        product.install(table)
        until(lambda: product.in_force() == len(lines))
        assert product.billclock("crontab", "-l").stdout == table
        more = table + b"5 5 1 1 * /bin/true the last\n"
        (product.home / "spool" / "root").write_bytes(more)
        _within_a_second(product, len(lines) + 1)
        shorter = table.replace(b"59 23 1 1 * /bin/true number 01439", b"#59 23 1 1 * /bin/false")
        product.install(shorter)
        until(lambda: product.in_force() == len(lines) - 1)
        assert product.get("/healthz")[0] == 200


def test_a_table_of_any_bytes_stops_its_bad_lines_only(product: Product, tmp_path: Path) -> None:
    binary = random.Random(11).randbytes(20_000)
    place = tmp_path / "binary"
    place.write_bytes(binary)
    spool = product.home / "spool"
    product.install(TABLE)
    with product.started() as up:
        refused = product.billclock("crontab", place)
        assert refused.returncode == 1
        assert b"nothing was changed" in refused.stderr
        assert not set(refused.stderr.decode()) & set(map(chr, [*range(9), *range(11, 32), 127]))
        assert product.billclock("crontab", "-l").stdout == TABLE
        (spool / "other").write_bytes(binary + b"\n5 5 1 1 * /bin/good\n")
        until(lambda: product.in_force() == 3, 1)
        shown = product.billclock("crontab", "-u", "other", "-l")
        assert shown.stdout == binary + b"\n5 5 1 1 * /bin/good\n"
        told = product.billclock("check", spool / "other")
        assert told.returncode == 1
        assert b"NUL" in told.stdout
        (spool / "other").write_bytes((TABLES / "25_errors_among_good.crontab").read_bytes())
        until(lambda: product.in_force() > 3, 1)
        assert product.get("/healthz")[0] == 200
    assert "Traceback" not in up.text


def test_windows_line_ends_and_a_missing_last_newline_are_kept_and_told(product: Product) -> None:
    with product.started():
        text = b"## Caf\xc3\xa9\r\n0 0 1 1 * echo it runs\r\n1 1 1 1 * exec sleep 0 "
        product.install(text)
        assert product.billclock("crontab", "-l").stdout == text
        assert until(lambda: product.in_force() == 2, 1)
        ran = product.billclock("run-now", product.key("echo it runs"))
        assert (ran.returncode, ran.stdout) == (0, b"it runs\n")
        told = product.billclock("check", product.home / "spool" / "root").stdout
        assert b"[crlf]" in told
        assert b"[no_final_newline]" in told
        refused = product.billclock("crontab", TABLES / "25_errors_among_good.crontab")
        assert refused.returncode == 1
        assert product.billclock("crontab", "-l").stdout == text
