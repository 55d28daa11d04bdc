"""What the tests of the API share: a folder of their own, a crontab with a run, users and keys."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.test import Client

from billclock import clock
from billclock.accounts import audit
from billclock.accounts.models import AuditRow, Role, User
from billclock.api import keys
from billclock.scheduler import output
from billclock.scheduler.models import Entry, Outcome, Run
from billclock.scheduler.tables import Tables

PASSWORD = "a clock of ledger paper"


@dataclass
class World:
    """A table of root with one entry and a run of it, and a table of sam with one entry.

    `person` is a user nobody is signed in as, `noted` a row of the audit trail about root's table.
    """

    entry: Entry
    run: Run
    other: Entry
    person: User
    noted: AuditRow


@pytest.fixture
def home(tmp_path: Path, settings: LazySettings) -> Path:
    settings.HOME = tmp_path
    settings.SPOOL = tmp_path / "spool"
    settings.RUN_OUTPUTS = tmp_path / "runs"
    settings.CONTROL_SOCKET = tmp_path / "daemon.sock"
    settings.ALLOWED_HOSTS = ["testserver", "localhost"]
    settings.SPOOL.mkdir()
    return tmp_path


@pytest.fixture
def world(home: Path, settings: LazySettings) -> World:
    def write(name: str, text: bytes) -> Entry:
        place = settings.SPOOL / name
        place.write_bytes(text)
        place.chmod(0o600)
        Tables().table(name).load()
        return Entry.objects.get(table=name, gone_at=None)

    write("root", b"15 1 * * * /opt/copy\n")
    entry = write("root", b"## Nightly copy\n15 1 * * * /opt/copy\n")  # version 2
    now = clock.now()
    run = Run.objects.create(
        entry=entry, planned=now, started=now, finished=now, exit_code=0, output_size=6,
        outcome=Outcome.SUCCEEDED,
    )  # fmt: skip
    output.write_all(run.pk, b"hello\n")
    own = write("sam", b"0 4 * * * /opt/own\n")
    person = User.objects.create_user("person@example.net")
    return World(entry, run, own, person, audit.note("a person", "look", "root", table="root"))


@pytest.fixture
def user(settings: LazySettings) -> Callable[..., User]:
    """Make a user of a role, with some tables open to him or all."""
    # hundreds of users: what is slow on purpose is proved elsewhere
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

    def make(role: Role = Role.ROOT, tables: str = "", email: str = "") -> User:
        email = email or f"{role}@example.net"
        return User.objects.create_user(email, PASSWORD, role=role, tables=tables)

    return make


@pytest.fixture
def keyed(user: Callable[..., User]) -> Callable[..., Client]:
    """Give a client that shows the key of a new user."""

    def make(role: Role = Role.ROOT, tables: str = "") -> Client:
        _, token = keys.make(user(role, tables), "a test", Role.ROOT, None)
        return Client(headers={"Authorization": f"Bearer {token}"})

    return make
