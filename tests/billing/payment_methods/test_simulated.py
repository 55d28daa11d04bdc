"""The simulated gateway: what goes wrong, goes wrong as told, and its truth is never in doubt."""

import multiprocessing
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from billclock.billing.configuration import Surroundings
from billclock.billing.errors import BadSignatureError, GatewayError
from billclock.billing.payment_methods.base import (
    EventKind,
    Order,
    Outcome,
    Redirect,
    State,
    Stored,
    StoredOutcome,
)
from billclock.billing.payment_methods.declines import DeclineClass
from billclock.billing.payment_methods.offered import make
from billclock.billing.payment_methods.simulated.faults import Call, Chance, Fault, profile
from billclock.billing.payment_methods.simulated.method import Simulated
from billclock.billing.payment_methods.simulated.peer import Peer
from billclock.billing.payment_methods.simulated.server import Server, push
from tests.contracts import paying
from tests.contracts.paying import Clock, SimulatedBench, order, setup


@pytest.fixture
def bench(tmp_path: Path):
    with paying.simulated(tmp_path) as made:
        yield made


def kinds(bench: SimulatedBench) -> list[EventKind]:
    return [e.kind for h, body in bench.notices() for e in bench.method.events(h, body)]


def test_a_request_that_comes_after_the_question_is_refused(bench: SimulatedBench):
    card = bench.card()
    bench.fail(Fault.LATE_REQUEST)
    assert bench.method.charge(order(), card).state is State.UNKNOWN
    assert bench.method.ask(order()).state is State.ABSENT
    bench.clock.sleep(hours=1)
    assert kinds(bench) == []
    assert bench.taken() == {}
    with pytest.raises(GatewayError, match="closed"):
        bench.method.charge(order(), card)


def test_a_request_that_comes_before_the_question_is_captured(bench: SimulatedBench):
    bench.fail(Fault.LATE_REQUEST)
    bench.method.charge(order(), bench.card())
    bench.clock.sleep(minutes=6)
    assert bench.method.ask(order()).state is State.CAPTURED
    assert kinds(bench) == [EventKind.CAPTURED]


def test_a_pending_payment_ends_by_notice(bench: SimulatedBench):
    bench.fail(Fault.PENDING)
    assert bench.method.charge(order(), bench.card()).state is State.PENDING
    assert bench.method.ask(order()).state is State.PENDING
    assert kinds(bench) == []
    bench.clock.sleep(minutes=6)
    assert kinds(bench) == [EventKind.CAPTURED]
    assert bench.method.ask(order()).state is State.CAPTURED


def test_a_pending_payment_may_be_declined(bench: SimulatedBench):
    bench.fail(Fault.PENDING)
    bench.method.charge(order(), bench.card(DeclineClass.LIMIT))
    bench.clock.sleep(minutes=6)
    assert kinds(bench) == [EventKind.DECLINED]
    asked = bench.method.ask(order())
    assert asked.decline
    assert asked.decline.kind is DeclineClass.LIMIT


def test_notices_come_late_twice_out_of_order_or_never(bench: SimulatedBench):
    hour = timedelta(hours=1)
    card = bench.card()
    bench.script.delays += [(hour, 2 * hour), (), (timedelta(0),)]
    for number in (1, 2, 3):
        bench.method.charge(order(f"pay-{number}"), card)
    seen = []
    for _ in range(4):
        seen.append([e.key for h, b in bench.notices() for e in bench.method.events(h, b)])
        bench.clock.sleep(hours=1)
    assert seen == [["pay-3"], ["pay-1"], ["pay-1"], []]


def test_a_notice_that_is_held_back_is_refused(bench: SimulatedBench):
    bench.method.charge(order(), bench.card())
    ((headers, body),) = bench.notices()
    bench.clock.sleep(minutes=6)
    with pytest.raises(BadSignatureError, match="not just now"):
        bench.method.events(headers, body)


def test_a_dispute_takes_the_payment_back_and_may_be_won(bench: SimulatedBench):
    paid = bench.method.charge(order(), bench.card()).gateway_id
    bench.notices()
    bench.peer.dispute(bench.clock(), paid)
    bench.peer.dispute(bench.clock(), paid, won=True)
    events = [e for h, body in bench.notices() for e in bench.method.events(h, body)]
    assert [(e.kind, e.payment_id, e.minor) for e in events] == [
        (EventKind.DISPUTED, paid, 1250),
        (EventKind.DISPUTE_WON, paid, 1250),
    ]


def test_without_a_page_the_client_pays_and_stores_at_once(bench: SimulatedBench):
    paid, kept = bench.method.start(order()), bench.method.store(setup())
    assert isinstance(paid, Outcome)
    assert isinstance(kept, StoredOutcome)
    assert kept.stored
    assert kept == bench.method.ask_stored(setup())
    assert bench.method.charge(order("pay-2"), kept.stored).state is State.CAPTURED
    assert kinds(bench) == [EventKind.CAPTURED, EventKind.STORED, EventKind.CAPTURED]


def test_a_setup_may_stall(bench: SimulatedBench):
    bench.script.calls.append(Call(Fault.PENDING, delay=None))
    bench.method.store(setup())
    bench.clock.sleep(days=30)
    assert bench.method.ask_stored(setup()).state is State.PENDING


def test_faults_depend_on_the_seed_and_the_call_alone():
    once, again, other = profile("rough", "1"), profile("rough", "1"), profile("rough", "2")
    calls = [(act, f"k{n}", 1) for act in ("charge", "refund") for n in range(300)]
    drawn = [once.call(*call) for call in calls]
    assert drawn == [again.call(*call) for call in reversed(calls)][::-1]
    assert drawn != [other.call(*call) for call in calls]
    assert {call.fault for call in drawn} == set(Fault)


def test_no_faults_are_drawn_from_a_profile_of_none():
    calm = profile("none", "1")
    assert {calm.call("charge", f"k{n}", 1).fault for n in range(500)} == {Fault.NONE}
    assert {calm.notices(f"e{n}") for n in range(100)} == {(timedelta(0),)}


def charge_many(folder: str, first: int) -> None:
    method = simulated(Path(folder))
    for number in range(first, first + 60):
        method.charge(order(f"pay-{number}"), Stored("card_1", "acc_7"))


def simulated(folder: Path, clock: Clock | None = None, **settings: str) -> Simulated:
    method = make("simulated", settings, Surroundings(clock or Clock(), folder))
    assert isinstance(method, Simulated)
    return method


def test_processes_share_one_truth(tmp_path: Path):
    simulated(tmp_path).peer.card(Clock()(), "7")
    spawning = multiprocessing.get_context("spawn")
    workers = [
        spawning.Process(target=charge_many, args=(str(tmp_path), first)) for first in (0, 0, 30)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
        assert worker.exitcode == 0
    assert len(simulated(tmp_path).peer.captures()) == 90


def settle(method: Simulated, clock: Clock, what: Order, card: Stored) -> State:
    """Do as the payments area does: charge once, then ask until the outcome is known."""
    try:
        state = method.charge(what, card).state
    except GatewayError:
        return State.ABSENT
    while not state.settled:
        clock.sleep(minutes=7)
        try:
            state = method.ask(what).state
        except GatewayError:
            continue
    return state


def walk(folder: Path, seed: str, count: int) -> None:
    """Charge with all faults and compare what we believe, are told, and what is true."""
    clock = Clock()
    method = simulated(folder, clock, seed=seed, faults="rough")
    made = method.peer.card(clock(), "7")
    card = Stored(made["token"], made["account"])
    believed = {}
    for number in range(count):
        key = f"{seed}-{number}"
        believed[key] = settle(method, clock, order(key, 100 + number), card)
    clock.sleep(days=2)
    truth = {paid.key: paid.minor for paid in method.peer.captures()}
    assert {key for key, state in believed.items() if state is State.CAPTURED} == set(truth)
    told = set()
    for notice in method.peer.deliver(clock()):
        told |= {(e.key, e.kind) for e in events_at(method, clock, notice)}
    assert {key for key, kind in told if kind is EventKind.CAPTURED} <= set(truth)
    declined = {key for key, kind in told if kind is EventKind.DECLINED}
    assert declined <= {key for key, state in believed.items() if state is State.DECLINED}


def events_at(method: Simulated, clock: Clock, notice):
    now, clock.at = clock.at, notice.at
    try:
        return method.events(notice.headers, notice.body)
    finally:
        clock.at = now


def test_what_is_believed_is_what_is_true(tmp_path: Path):
    for seed in range(3):
        walk(tmp_path / str(seed), str(seed), 100)


@pytest.mark.long
def test_what_is_believed_is_what_is_true_ten_thousand_times(tmp_path: Path):
    for seed in range(50):
        walk(tmp_path / str(seed), f"long-{seed}", 200)


@pytest.fixture
def paged(tmp_path: Path):
    """Give a method with a page, its server and its clock."""
    clock = Clock()
    peer = Peer(None, Chance("1"), "simulated")
    with Server(peer, clock) as server:
        settings = {"address": server.address, "page": f"{server.address}/page"}
        yield simulated(tmp_path, clock, **settings), server, clock
    peer.close()


def test_a_client_decides_on_the_page(paged):
    method, server, clock = paged
    begun = method.start(order())
    assert isinstance(begun, Redirect)
    assert begun.expires == clock() + timedelta(hours=24)
    assert "Agree" in httpx.get(begun.url).text
    assert method.ask(order()).state is State.PENDING
    answer = httpx.post(begun.url, data={"decline": ""})
    assert (answer.status_code, answer.headers["Location"]) == (303, "http://us.test/back")
    assert method.ask(order()).state is State.CAPTURED
    httpx.post(begun.url, data={"decline": "fraud"})
    assert method.ask(order()).state is State.CAPTURED
    assert len(server.peer.deliver(clock())) == 1


def test_a_page_that_is_left_expires(paged):
    method, _, clock = paged
    method.start(order())
    clock.sleep(hours=25)
    asked = method.ask(order())
    assert asked.decline
    assert asked.decline.kind is DeclineClass.ABANDONED


def test_a_card_is_left_on_a_page(paged):
    method, _, _ = paged
    begun = method.store(setup())
    assert isinstance(begun, Redirect)
    assert method.ask_stored(setup()).state is State.PENDING
    httpx.post(begun.url, data={"decline": "", "card": "insufficient_funds"})
    kept = method.ask_stored(setup())
    assert kept.stored
    declined = method.charge(order(), kept.stored)
    assert declined.decline
    assert declined.decline.kind is DeclineClass.INSUFFICIENT_FUNDS


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("charge", b"{", 400),
        ("charge", b"{}", 400),
        ("charge", b"[1]", 400),
        ("nonsense", b"{}", 404),
        ("page/pay_1", b"decline=nonsense", 400),
        ("page/%3Cscript%3E", b"decline=", 303),
        ("ask", b"x" * 70_000, 413),
    ],
)
def test_the_server_survives_nonsense(paged, path: str, body: bytes, status: int):
    _, server, _ = paged
    assert httpx.post(f"{server.address}/{path}", content=body).status_code == status
    assert httpx.get(f"{server.address}/page/x").status_code == 200


def test_notices_are_pushed_until_they_are_taken(bench: SimulatedBench):
    taken: list[bytes] = []
    refuse = [True]

    class Us(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if refuse.pop() if refuse else False:
                self.send_error(500)
                return
            bench.method.events(dict(self.headers.items()), body)
            taken.append(body)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    bench.method.charge(order(), bench.card())
    server = ThreadingHTTPServer(("127.0.0.1", 0), Us)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}/"
    try:
        assert push(bench.peer, bench.clock(), url) == 0
        assert push(bench.peer, bench.clock(), url) == 0
        bench.clock.sleep(minutes=6)
        assert push(bench.peer, bench.clock(), url) == 1
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert len(taken) == 1
    assert push(bench.peer, bench.clock(), url) == 0
