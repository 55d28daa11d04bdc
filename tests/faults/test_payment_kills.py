"""Promise M4: who charges and refunds is killed with -9 at each step; the gateway's truth is ours.

The gateway is a server of its own: it goes on with what it was asked for, whoever has died.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from billclock.billing.payment_methods.simulated.faults import profile
from billclock.billing.payment_methods.simulated.method import FILE
from billclock.billing.payment_methods.simulated.peer import Peer
from billclock.billing.payment_methods.simulated.server import Server
from tests.faults.payers import BEGIN
from tests.faults.test_billing_kills import ENGINES, books

PAYERS = Path(__file__).with_name("payers.py")
ROOT = PAYERS.parent.parent.parent
STEPS = 96
"""Statements of a charge and a refund: beyond them nobody is killed."""


def killed_at(engine: str, folder: Path, faults: str, moments: list[str]) -> int:
    """Kill at each moment, compare with the gateway's truth, and give how many were killed."""
    with books(engine, folder / "books") as ours:
        home = folder / "books"
        peer = Peer(home / "gateways" / "card" / FILE, profile(faults, "7"), "simulated")
        with Server(peer, lambda: _called(home)) as server:
            done = subprocess.run(
                [sys.executable, PAYERS, server.address, faults, *moments], cwd=ROOT, text=True,
                env={**ours.environment, "PYTHONPATH": str(ROOT)}, capture_output=True,
                check=False, timeout=500,
            )  # fmt: skip
        assert done.returncode == 0, done.stderr
        killed, told = done.stdout.splitlines()
        _judge(json.loads(told), peer)
        if faults == "none":  # nobody declines, so all that was begun is paid in the end
            assert json.loads(told)["payments"] == len(peer.captures()) > 0
        return int(killed)


def _called(home: Path):
    """Give the gateway's time when it is called, and kill who waits to be killed by then."""
    victim = home / "victim"
    if victim.exists():
        pid = int(victim.read_text())
        victim.unlink()
        os.kill(pid, signal.SIGKILL)
    return BEGIN


def _judge(told: dict, peer: Peer) -> None:
    captured = peer.captures()
    assert told["breaches"] == []
    assert told["in_flight"] == 0
    assert told["balance"] == sum(c.minor - c.refunded for c in captured)
    assert len({c.key.rpartition("-")[0] for c in captured}) == len(captured) == told["credited"]


@pytest.mark.parametrize("engine", ENGINES)
def test_killed_while_paying_nothing_is_charged_twice_or_lost(engine, tmp_path):
    moments = [str(step) for step in range(2, STEPS, 4)]
    killed = killed_at(engine, tmp_path, "none", [*moments, "called", "called"])
    assert killed >= 20


@pytest.mark.parametrize("engine", ENGINES)
def test_many_at_once_neither_wait_for_each_other_nor_charge_twice(engine, tmp_path):
    assert killed_at(engine, tmp_path, "none", ["together", "6"]) == 0


@pytest.mark.long
@pytest.mark.parametrize("engine", ENGINES)
def test_killed_at_every_step_with_a_rough_gateway(engine, tmp_path):
    moments = [str(step) for step in range(1, STEPS)] + ["called"] * 10
    killed = 0
    for number, faults in enumerate(("none", "rough")):
        (tmp_path / str(number)).mkdir()
        killed += killed_at(engine, tmp_path / str(number), faults, moments)
    assert killed >= 100
