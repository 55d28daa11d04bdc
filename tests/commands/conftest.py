"""What the commands' tests share: a prepared folder, and commands started as a cron would."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import LazySettings

from billclock.commands import databases, scripts
from tests import prepared

Command = Callable[..., subprocess.CompletedProcess[bytes]]
CRON = {"PATH": "/usr/bin:/bin"}


@pytest.fixture(scope="session", autouse=True)
def _tables_are_there() -> None:
    """Tell commands called in this process that the test's databases have their tables."""
    from django.conf import settings

    settings.HOME.mkdir(exist_ok=True)
    (settings.HOME / databases.STAMP).write_text(databases.wanted())


@pytest.fixture(scope="session")
def bin_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bin")
    scripts.write(folder)
    return folder


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with databases of its own."""
    return prepared.copied(tmp_path / "home")


@pytest.fixture
def command(bin_folder: Path, home: Path) -> Command:
    """Run one of our commands, as a cron would, in that folder."""

    def run(
        name: str, *words: str | bytes, **options: object
    ) -> subprocess.CompletedProcess[bytes]:
        variables = options.pop("env", {})
        assert isinstance(variables, dict)
        environment = {**CRON, "BILLCLOCK_HOME": str(home), **variables}
        options = {"input": b"", "capture_output": True, "timeout": 60, **options}
        return subprocess.run(  # type: ignore[call-overload, no-any-return]
            [bin_folder / name, *words], env=environment, check=False, **options
        )

    return run


@pytest.fixture
def spool(settings: LazySettings, tmp_path: Path) -> Path:
    """An empty spool for commands called in this process."""
    settings.SPOOL = tmp_path / "spool"
    return tmp_path / "spool"


@pytest.fixture
def outside(tmp_path: Path) -> Callable[[str, bytes], str]:
    """Write a file and give its path."""

    def write(name: str, data: bytes) -> str:
        place = tmp_path / name
        place.write_bytes(data)
        return os.fspath(place)

    return write
