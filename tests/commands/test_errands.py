"""The daemon's errands, and the reference: called by themselves."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from django.conf import LazySettings

from billclock.billing.ledger import Kind, LedgerAccount
from billclock.billing.reckonings import Reckoning
from billclock.commands import reference
from billclock.commands.billclock import main

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)


class Outside(BaseHTTPRequestHandler):
    heard: list[str] = []  # noqa: RUF012 - shared on purpose

    def do_GET(self) -> None:
        self.heard.append(self.path)
        if given := self.headers["Authorization"]:
            self.heard.append(given)
        self.send_response(200 if self.path == "/well" else 500)
        self.end_headers()

    def log_message(self, *words: object) -> None:
        """Say nothing of requests."""


@pytest.fixture
def address() -> Iterator[str]:
    Outside.heard.clear()
    with HTTPServer(("127.0.0.1", 0), Outside) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_with_nothing_to_do_nothing_is_said(
    capsys: pytest.CaptureFixture[str], settings: LazySettings
) -> None:
    settings.SMTP = "smtp://127.0.0.1:1"
    assert main(["deliver"]) == 0
    assert main(["prune"]) == 0
    assert capsys.readouterr() == ("", "")


def test_a_heartbeat_is_given(address: str, settings: LazySettings) -> None:
    settings.SMTP = "smtp://127.0.0.1:1"
    settings.HEARTBEAT_URL = f"{address}/well"
    assert main(["deliver"]) == 0
    assert Outside.heard == []
    assert main(["deliver", "--heartbeat"]) == 0
    assert Outside.heard == ["/well"]


def test_a_heartbeat_shows_a_password_to_its_host_alone(
    address: str, settings: LazySettings, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.SMTP = "smtp://127.0.0.1:1"
    settings.HEARTBEAT_URL = address.replace("//", "//me:w%40rd@") + "/well"
    assert main(["deliver", "--heartbeat"]) == 0
    assert Outside.heard == ["/well", "Basic bWU6d0ByZA=="]
    settings.HEARTBEAT_URL = "http://me:w%40rd@nowhere.invalid/"
    assert main(["deliver", "--heartbeat"]) == 1
    assert "w%40rd" not in capsys.readouterr().err


@pytest.mark.parametrize("place", ["/ill", "nonsense", "http://127.0.0.1:1/"])
def test_a_heartbeat_nobody_takes_is_told(
    place: str, address: str, settings: LazySettings, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.SMTP = "smtp://127.0.0.1:1"
    settings.HEARTBEAT_URL = f"{address}{place}" if place.startswith("/") else place
    assert main(["deliver", "--heartbeat"]) == 1
    assert "was not reached" in capsys.readouterr().err


def test_the_reference_is_written_and_found_stale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(reference, "FOLDER", tmp_path / "reference")
    assert main(["reference", "--check"]) == 1
    assert "commands.md is stale" in capsys.readouterr().err
    assert main(["reference"]) == 0
    assert main(["reference", "--check"]) == 0
    pages = {page.name: page.read_text() for page in (tmp_path / "reference").iterdir()}
    assert pages.keys() == {"commands.md", "settings.md", "jobs.md"}
    assert "## billclock crontab\n" in pages["commands.md"]
    assert "| `BILLCLOCK_SPOOL` | `$BILLCLOCK_HOME/spool` |" in pages["settings.md"]
    assert "billmaintain --command billdaily" in pages["jobs.md"]
    assert not any(str(reference.ROOT) in page for page in pages.values())
    (tmp_path / "reference" / "jobs.md").write_text("edited\n")
    assert main(["reference", "--check"]) == 1
    assert "jobs.md is stale" in capsys.readouterr().err


def test_the_reference_does_not_depend_on_the_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reference, "FOLDER", tmp_path / "reference")
    monkeypatch.setenv("COLUMNS", "40")
    assert main(["reference"]) == 0
    monkeypatch.setenv("COLUMNS", "200")
    assert main(["reference", "--check"]) == 0


def test_what_is_due_is_reckoned_once_and_verify_keeps_what_it_found(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for _ in range(2):
        assert main(["reckon"]) == 0
        assert capsys.readouterr().out == ""
    assert set(Reckoning.objects.values_list("name", flat=True)) == {
        "books", "lasting", "money", "tonight",
    }  # fmt: skip
    first = Reckoning.objects.get(name="books").at
    LedgerAccount.objects.create(
        kind=Kind.FUNDS, owner="a1", currency="EUR", exponent=2, balance_minor=5
    )
    assert main(["verify"]) == 1
    kept = Reckoning.objects.get(name="books")
    assert kept.at > first
    Reckoning.objects.all().delete()
    capsys.readouterr()
    assert main(["reckon"]) == 0
    assert "the books: 2 faults, see Problems" in capsys.readouterr().out
    assert "the account of a1 (EUR) holds 5" in kept.values["breaches"][1]["what"]
