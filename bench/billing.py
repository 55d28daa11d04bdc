"""How fast is a day's billing of a million services, and against what?

Beside the whole day (charges, transfers, balances, verdicts, letters, checks) the same run measures
the bare statement set (charge, transfer, balance, advance), which is what the engine can do at all,
and an object-at-a-time twin by Django's ORM. Each on a fresh copy of the same books. With
--postgresql ADDRESS (postgresql://user@host, a server where databases may be made) the same there.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from _print import show

SIZES = (10_000, 100_000, 1_000_000)
HERE = Path(__file__).resolve().parent


def main() -> None:
    """Measure each size on each engine."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    options.add_argument("--postgresql", default="", metavar="ADDRESS")
    options.add_argument("--json", action="store_true")
    chosen = options.parse_args()
    rows = []
    for size in chosen.sizes:
        with tempfile.TemporaryDirectory(prefix="billclock-bench-") as folder:
            rows.append(measured(Sqlite(Path(folder)), size))
        if chosen.postgresql:
            rows.append(measured(Postgresql(chosen.postgresql), size))
    show("A day's billing", rows, as_json=chosen.json)


class Sqlite:
    """Books in a file; a copy is a copied file."""

    name = "SQLite"

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def books(self, what: str) -> dict[str, str]:
        """Give the environment in which the copy `what` lies."""
        home = self.folder / what
        if not home.exists():
            shutil.copytree(self.folder / "found", home) if what != "found" else None
            (home / "data").mkdir(parents=True, exist_ok=True)
        return {"BILLCLOCK_HOME": str(home)}

    def drop(self, what: str) -> None:
        """Remove a copy."""
        shutil.rmtree(self.folder / what, ignore_errors=True)


class Postgresql:
    """Books in a database of a server; a copy is made from the first as its template."""

    name = "PostgreSQL"

    def __init__(self, address: str) -> None:
        self.address = address.rstrip("/")
        self.folder = Path(tempfile.mkdtemp(prefix="billclock-bench-"))
        (self.folder / "data").mkdir()

    def books(self, what: str) -> dict[str, str]:
        """Give the environment in which the copy `what` lies."""
        name = f"billclock_bench_{what}"
        template = "" if what == "found" else ' TEMPLATE "billclock_bench_found"'
        self._ask(f'DROP DATABASE IF EXISTS "{name}"', f'CREATE DATABASE "{name}"{template}')
        return {
            "BILLCLOCK_HOME": str(self.folder),
            "BILLCLOCK_DATABASE": f"{self.address}/{name}",
        }

    def drop(self, what: str) -> None:
        """Remove a copy."""
        self._ask(f'DROP DATABASE IF EXISTS "billclock_bench_{what}"')

    def _ask(self, *statements: str) -> None:
        import psycopg

        with psycopg.connect(f"{self.address}/postgres", autocommit=True) as link:
            for statement in statements:
                link.execute(statement)  # type: ignore[call-overload]


def measured(engine: Sqlite | Postgresql, size: int) -> dict[str, Any]:
    """Found a company of a size and measure each way to bill it."""
    found = called("found", size, engine.books("found"))
    results = {}
    for what in ("bare", "whole", "objects"):
        results[what] = called(what, size, engine.books(what))
        engine.drop(what)
    engine.drop("found")
    whole, twin = results["whole"], results["objects"]
    an_object = twin["seconds"] / max(twin["done"], 1)
    return {
        "engine": engine.name,
        "services": size,
        "founded s": found["seconds"],
        "bare s": results["bare"]["seconds"],
        "whole s": whole["seconds"],
        "whole / bare": whole["seconds"] / results["bare"]["seconds"],
        "a second": round(size / whole["seconds"]),
        "objects a second": round(1 / an_object),
        "objects / whole": an_object * size / whole["seconds"],
        "longest write ms": whole["longest_ms"],
        "web write p99 ms": whole["web_write_p99_ms"],
        "web write max ms": whole["web_write_max_ms"],
        "seal s": whole["seal_seconds"],
        "again s": whole["again_seconds"],
        "MiB": round(whole["memory_mib"]),
    }


def called(what: str, size: int, environment: dict[str, str]) -> dict[str, Any]:
    """Run one measurement in a process of its own."""
    done = subprocess.run(
        [sys.executable, str(HERE / "_books.py"), what, str(size)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    return dict(json.loads(done.stdout.splitlines()[-1]))


if __name__ == "__main__":
    main()
