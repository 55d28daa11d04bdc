"""./run as the first process of a container, which inherits every orphan there is."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.product import Product, children, until

pytestmark = pytest.mark.root

FIRST = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child")
TABLE = b"""\
0 0 1 1 * for n in 1 2 3 4 5; do (setsid sh -c '(sleep 0.2 &); sleep 0.1 &' &); done; echo left
0 0 1 1 * (setsid sleep 30 &) ; echo begun; sleep 0.2
"""


def below(pid: int) -> Iterator[int]:
    """Give every process below one, wherever it came from."""
    for child in children(pid):
        yield child
        yield from below(child)


def zombies(first: int) -> list[str]:
    states = []
    for pid in below(first):
        try:
            states.append(Path(f"/proc/{pid}/stat").read_text())
        except OSError:
            continue
    return [state for state in states if state.rpartition(")")[2].split()[0] == "Z"]


def test_the_first_process_of_a_container_leaves_no_zombie_and_ends_in_order(
    product: Product,
) -> None:
    product.install(TABLE)
    product.wrapper = FIRST
    with product.started() as up:
        product.wrapper = ()  # what follows is called from outside
        (first,) = children(up.process.pid)
        assert "NSpid:" in (status := Path(f"/proc/{first}/status").read_text())
        assert status.partition("NSpid:")[2].split("\n")[0].split()[-1] == "1"
        one, two = (int(row["key"]) for row in product.entries().values())
        for _ in range(3):
            product.ask("run-now", entry=one)
            until(lambda: not product.ask("status")["running"])
        product.ask("run-now", entry=two)
        daemon = children(first)[1]
        os.kill(daemon, signal.SIGKILL)
        until(lambda: daemon not in children(first))
        until(lambda: _answers(product))
        until(lambda: not zombies(first), 5)
        assert {row["outcome"] for row in product.runs()} <= {"succeeded", "lost", "running"}
        assert product.get("/healthz")[0] == 200
        os.kill(first, signal.SIGTERM)
        assert up.process.wait(20) == 0
    assert "Traceback" not in up.text


def _answers(product: Product) -> bool:
    try:
        return bool(product.ask("status")["ok"])
    except (OSError, ValueError):
        return False
