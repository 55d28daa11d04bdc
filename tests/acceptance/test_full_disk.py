"""The disk of BILLCLOCK_HOME fills up while jobs run, and is emptied again."""

import errno
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.product import Product, until

pytestmark = pytest.mark.root

TABLE = """\
## Talks while somebody listens
0 0 1 1 * while echo %s; do sleep 0.02; done; exit 9
## Talks a lot
0 0 1 1 * yes a line of output | head -c 400000; exec sleep 60
## Is quiet
0 0 1 1 * exit 6
""".replace("%s", "a line of output " * 40).encode()


@pytest.fixture
def on_disk(product: Product, tmp_path: Path) -> Iterator[Product]:
    """The product with its folder on a disk of 8 MiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", disk], check=True)
    try:
        product.home = Path(shutil.copytree(product.home, disk / "home"))
        product.settings = {"BILLCLOCK_SPOOL": str(tmp_path / "spool")}
        yield product
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


def fill(folder: Path) -> Path:
    """Write a file until there is no room left; give the file."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (1 << 16, 1 << 10, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError as error:
                assert error.errno == errno.ENOSPC  # noqa: PT017 - the very end of the loop
    return filler


def test_a_full_disk_stops_no_scheduler_and_it_goes_on_when_there_is_room(
    on_disk: Product, tmp_path: Path
) -> None:
    product = on_disk
    product.install(TABLE)
    with product.started() as up:
        talking, loud, quiet = (int(row["key"]) for row in product.entries().values())
        run = product.ask("run-now", entry=talking)["run"]
        until(lambda: product.output(run))
        daemon = product.daemon()
        filler = fill(product.home.parent)
        # nothing new begins unseen: its row can't be written
        refused = product.ask("run-now", entry=quiet)
        assert not refused["ok"]
        assert "full" in refused["error"]
        command = product.billclock("run-now", str(quiet))
        assert command.returncode == 1
        assert b"full" in command.stderr
        edited = product.billclock("crontab", "-", stdin=TABLE + b"1 1 1 1 * /bin/more\n")
        assert edited.returncode == 1
        assert b"make room" in edited.stderr or b"df -h" in edited.stderr
        assert product.billclock("crontab", "-l").stdout == TABLE
        # the table is on another disk, so others can write it
        (tmp_path / "spool" / "root").write_bytes(TABLE + b"2 2 1 1 * /bin/other\n")
        until(lambda: run not in product.ask("status")["running"])
        assert product.get("/healthz")[0] in (200, 503)
        filler.unlink()
        done = product.billclock("run-now", str(quiet))
        assert done.returncode == 6, done.stderr
        first = until(lambda: next((r for r in product.runs() if r["run"] == run), None))
        assert (first["outcome"], first["exit_code"]) == ("failed", 9)
        assert "the disk that holds its output is full" in first["reason"]
        assert until(lambda: product.in_force() == 4)
        assert product.daemon() == daemon
        assert product.get("/healthz")[0] == 200
        told = product.ask("run-now", entry=loud)["run"]
        assert until(lambda: product.output(told))
        assert 0 < up.text.count("what happened can't be written") <= 5
        assert "it is kept and tried again: that is over" in up.text
        assert 2 <= up.text.count("the table root goes on as it was: ") <= 4
        assert "the table root goes on as it was: that is over" in up.text
        assert "ended" not in up.text
    assert "Traceback" not in up.text
