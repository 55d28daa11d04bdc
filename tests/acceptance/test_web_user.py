"""S10: the web server as a user of its own sees and edits by the daemon, and is nobody else."""

import os
import pwd
import re
import site
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from billclock.commands.errors import DONE

ROOT = Path(__file__).resolve().parents[2]
USER = "nobody"
TABLE = "## hello\n0 5 * * * /bin/echo hello\n"
pytestmark = pytest.mark.root


def interpreter() -> str:
    """Find a Python of this version that the web user may run: the venv's may lie in /root."""
    for place in ("/usr/bin/python3", sys.executable):
        code = "import sys, django; print('%d.%d' % sys.version_info[:2])"
        command = ["setpriv", "--reuid", USER, "--clear-groups", "--", place, "-c", code]
        done = subprocess.run(
            command, env=environment(), capture_output=True, text=True, check=False
        )
        if done.stdout.strip() == "{}.{}".format(*sys.version_info[:2]):
            return place
    pytest.skip(f"no Python {sys.version_info[:2]} here that {USER} may run")


def environment(**more: str) -> dict[str, str]:
    kept = {name: text for name, text in os.environ.items() if not name.startswith("BILLCLOCK")}
    path = os.pathsep.join([str(ROOT), *site.getsitepackages()])
    return {**kept, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", **more}


class Place:
    """A Billclock that serves as root, with its web server as another user."""

    def __init__(self, folder: Path) -> None:
        folder.chmod(0o711)
        self.home = folder / "home"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"http://localhost:{self.port}"
        self.python = interpreter()
        self.environment = environment(
            BILLCLOCK_HOME=str(self.home),
            BILLCLOCK_PORT=str(self.port),
            BILLCLOCK_WEB_USER=USER,
            BILLCLOCK_SECRET_KEY="for tests only",
        )
        self.log = folder / "log"

    def start(self) -> subprocess.Popen[bytes]:
        (self.home / "spool").mkdir(parents=True, mode=0o700)
        (self.home / "spool" / "root").write_text(TABLE)
        (self.home / "spool" / "root").chmod(0o600)
        with self.log.open("wb") as log:
            command = [self.python, "-m", "billclock.commands.billclock", "serve"]
            return subprocess.Popen(command, env=self.environment, stdout=log, stderr=log)

    def wait_for(self, path: str) -> str:
        for _ in range(600):
            try:
                with urllib.request.urlopen(f"{self.address}{path}", timeout=2) as answer:
                    return str(answer.read().decode())
            except OSError:
                time.sleep(0.1)
        pytest.fail(self.log.read_text())

    def as_web_user(self, code: str) -> subprocess.CompletedProcess[str]:
        ids = pwd.getpwnam(USER)
        switch = ["setpriv", "--reuid", USER, "--regid", str(ids.pw_gid), "--clear-groups", "--"]
        start = (
            "import os; os.environ['DJANGO_SETTINGS_MODULE'] = 'billclock.settings'\n"
            "import django; django.setup()\n"
            "from billclock.scheduler import desk, errors\n"
            "from billclock.cron import Expression\n"
        )
        return subprocess.run(
            [*switch, self.python, "-c", start + code], env=self.environment, text=True,
            capture_output=True, check=False,
        )  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = Path("/tmp") / f"billclock-web-user-{os.getpid()}"
    folder.mkdir()
    place = Place(folder)
    process = place.start()
    try:
        place.wait_for("/healthz")
        yield place
    finally:
        process.terminate()
        ended = process.wait(20)
    assert ended == DONE
    subprocess.run(["rm", "-rf", folder], check=True)


def test_the_web_server_runs_as_its_user_and_the_scheduler_as_root(place):
    owners = set()
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "environ").read_bytes()
            if str(place.home).encode() in words:
                owners.add(entry.stat().st_uid)
        except OSError:
            continue
    assert owners == {0, pwd.getpwnam(USER).pw_uid}


def test_he_can_make_the_first_user(place):
    link = re.search(r"http://\S+/setup/\S+", place.log.read_text())
    assert link is not None
    assert "<form" in place.wait_for(link[0].partition(str(place.port))[2])


def test_he_can_read_no_crontab_and_make_no_file_in_the_home_folder(place):
    done = place.as_web_user(
        "from pathlib import Path\n"
        f"for name in ('spool/root', 'daemon.lock', 'spool'):\n"
        f"    place = Path('{place.home}', name)\n"
        "    try: place.read_bytes() if place.is_file() else list(place.iterdir())\n"
        "    except PermissionError: print('no')\n"
        f"try: Path('{place.home}', 'new').touch()\n"
        "except PermissionError: print('no')\n"
    )
    assert done.stdout.split() == ["no"] * 4, done.stderr


def test_he_reads_and_edits_by_the_daemon(place):
    done = place.as_web_user(
        "now = desk.load('root')\n"
        "key = now.keys[0]\n"
        "new = desk.edit_entry('root', key, lambda c, e: c.change(e, command=b'/bin/echo ho'),"
        " author='a@example.test', seen=now.digest, note='edit')\n"
        "print(new.keys[0] == key, new.entry(key).command)\n"
        "try: desk.edit('root', lambda c: c.add(Expression.parse('0 1 * * *'), b'/bin/x'),"
        " author='a', seen=now.digest)\n"
        "except errors.Conflict as error: print('conflict', error.theirs == new.data)\n"
        "try: desk.replace('root', b'61 * * * * /bin/bad\\n', author='a')\n"
        "except errors.Refused as error: print('refused', error.errors[0].field)\n"
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "True b'/bin/echo ho'",
        "conflict True",
        "refused minute",
    ]
    text = (place.home / "spool" / "root").read_text()
    assert text == TABLE.replace("echo hello", "echo ho")


def test_he_undoes_and_restores_by_the_daemon(place):
    before = (place.home / "spool" / "root").read_bytes()
    done = place.as_web_user(
        "from billclock.scheduler.models import Version\n"
        "new = desk.edit('root', lambda c: c.assign('MAILTO', ''), author='a', note='mail')\n"
        "number = Version.objects.filter(table='root').order_by('-number')[0].number\n"
        "print(desk.undo('root', number, author='a').data == desk.load('root').data)\n"
        "desk.restore('root', number, author='a')\n"
        "desk.undo('root', number + 2, author='a')\n"
        "try: desk.restore('root', 99, author='a')\n"
        "except errors.NoVersion as error: print(error)\n"
        "print(desk.names())\n"
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == ["True", "the table root has no version 99", "['root']"]
    assert (place.home / "spool" / "root").read_bytes() == before
