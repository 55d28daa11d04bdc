"""What the tests of the web share: users who are signed in, a spool, and entries with a history."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.test import Client

from billclock import clock
from billclock.accounts.models import Role, User
from billclock.scheduler.models import Beat, Entry, Outcome, Run
from billclock.scheduler.tables import Tables

PASSWORD = "a clock of ledger paper"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, settings: LazySettings) -> Path:
    """A folder of the test's own for crontabs and outputs."""
    settings.HOME = tmp_path
    settings.SPOOL = tmp_path / "spool"
    settings.RUN_OUTPUTS = tmp_path / "runs"
    settings.CONTROL_SOCKET = tmp_path / "daemon.sock"
    settings.ALLOWED_HOSTS = ["testserver"]
    settings.SPOOL.mkdir()
    return tmp_path


@pytest.fixture
def signed_in() -> Callable[..., Client]:
    """Sign a user of a role in, with some tables open to him or all."""

    def sign_in(role: Role = Role.ROOT, tables: str = "") -> Client:
        user = User.objects.create_user(f"{role}@example.net", role=role, tables=tables)
        client = Client()
        client.force_login(user)
        return client

    return sign_in


@pytest.fixture
def table(settings: LazySettings) -> Callable[..., list[Entry]]:
    """Write a crontab, let it be read as the daemon does, and give its entries in order."""

    def write(text: str, name: str = "root") -> list[Entry]:
        (settings.SPOOL / name).write_text(text, encoding="utf-8")
        Tables().table(name).load()
        return list(Entry.objects.filter(table=name, gone_at=None).order_by("line"))

    return write


def beat(at: datetime | None = None, *, stopped: bool = False) -> None:
    """Give a sign of the daemon's life."""
    at = at or clock.now()
    values = {"pid": 1, "at": at, "served": at, "boot": "b", "offset": 0.0, "stopped": stopped}
    Beat.objects.update_or_create(host="test", defaults=values)


def ran(entry: Entry, at: datetime, seconds: float = 1.0, **values: object) -> Run:
    """Put a run that is over into the history."""
    fields = {
        "planned": at,
        "started": at + timedelta(milliseconds=10),
        "finished": at + timedelta(milliseconds=10) + timedelta(seconds=seconds),
        "outcome": Outcome.SUCCEEDED,
        "exit_code": 0,
        **values,
    }
    return Run.objects.create(entry=entry, **fields)
