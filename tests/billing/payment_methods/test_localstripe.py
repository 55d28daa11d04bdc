"""Our Stripe method at localstripe, a server by others: shapes, cards, refunds, webhooks.

It ignores Idempotency-Key, so that nothing here proves anything about repeated requests.
"""

import json
import queue
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from billclock import clock
from billclock.billing.configuration import Surroundings
from billclock.billing.errors import GatewayError
from billclock.billing.payment_methods.base import (
    EventKind,
    Order,
    Payer,
    PaymentMethod,
    Refund,
    State,
    Stored,
)
from billclock.billing.payment_methods.declines import DeclineClass
from billclock.billing.payment_methods.offered import make

SECRET = "whsec_local"
GOOD, DECLINED, ASKS = "4242424242424242", "4000000000000341", "4000002500003155"
MODULE = "tests.billing.payment_methods.localstripe_main"


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    url = f"http://127.0.0.1:{(port := free_port())}"
    process = subprocess.Popen(
        [sys.executable, "-m", MODULE, str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        with httpx.Client(transport=httpx.HTTPTransport(retries=8)) as client:
            assert client.get(f"{url}/v1/customers").status_code == 401  # it is up
        yield url
    finally:
        process.kill()
        process.wait()
        assert process.stderr
        process.stderr.close()


@pytest.fixture
def method(address: str, tmp_path: Path) -> PaymentMethod:
    settings = {"secret_key": "sk_test_12345", "signing_secret": SECRET, "address": address}
    return make("stripe", settings, Surroundings(clock.now, tmp_path))


def sent(address: str, path: str, **data: str) -> dict[str, str]:
    answer = httpx.post(f"{address}/v1/{path}", data=data, auth=("sk_test_12345", ""))
    return answer.json()


def card(address: str, number: str = GOOD) -> Stored:
    customer = sent(address, "customers", email="ada@example.org")["id"]
    details = {"number": number, "exp_month": "2", "exp_year": "2030", "cvc": "123"}
    made = sent(address, "payment_methods", type="card",
                **{f"card[{name}]": text for name, text in details.items()})  # fmt: skip
    sent(address, f"payment_methods/{made['id']}/attach", customer=customer)
    return Stored(made["id"], customer)


def order(key: str, stored: Stored, minor: int = 1250) -> Order:
    return Order(key, minor, "EUR", Payer("7", account=stored.account), clock.now())


def test_a_charge_a_question_and_a_refund(method: PaymentMethod, address: str):
    kept = card(address)
    what = order("local-1", kept)
    paid = method.charge(what, kept)
    assert (paid.state, paid.minor, paid.currency) == (State.CAPTURED, 1250, "EUR")
    assert method.ask(what) == paid
    assert method.ask(what, paid.gateway_id) == paid
    assert method.ask(order("local-never", kept)).state is State.ABSENT
    given = method.refund(Refund("local-re", paid.gateway_id, 500, "EUR", what.at))
    assert (given.state, given.minor) == (State.CAPTURED, 500)
    assert method.refund(Refund("local-re", paid.gateway_id, 500, "EUR", what.at)) == given


def test_a_declined_card(method: PaymentMethod, address: str):
    kept = card(address, DECLINED)
    outcome = method.charge(order("local-2", kept), kept)
    assert outcome.state is State.DECLINED
    assert outcome.decline
    assert outcome.decline.kind is DeclineClass.DO_NOT_HONOUR


def test_a_card_that_asks_for_its_owner(method: PaymentMethod, address: str):
    kept = card(address, ASKS)
    outcome = method.charge(order("local-3", kept), kept)
    assert outcome.state is State.DECLINED
    assert outcome.decline
    assert outcome.decline.kind is DeclineClass.AUTHENTICATION_REQUIRED
    told = httpx.get(
        f"{address}/v1/payment_intents/{outcome.gateway_id}", auth=("sk_test_12345", "")
    )
    assert told.json()["status"] == "canceled"


def test_a_card_is_forgotten(method: PaymentMethod, address: str):
    kept = card(address)
    method.forget(kept)
    method.forget(kept)
    method.forget(Stored("pm_unknown", "cus_unknown"))


def test_a_wrong_key_is_told(address: str, tmp_path: Path):
    settings = {"secret_key": "sk_", "signing_secret": SECRET, "address": address}
    method = make("stripe", settings, Surroundings(clock.now, tmp_path))
    with pytest.raises(GatewayError, match="secret key") as caught:
        method.charge(order("local-4", Stored("pm_1", "cus_1")), Stored("pm_1", "cus_1"))
    assert not caught.value.retry


def test_its_webhooks_are_read(method: PaymentMethod, address: str):
    came: queue.Queue[tuple[dict[str, str], bytes]] = queue.Queue()

    class Us(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            came.put((dict(self.headers.items()), body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Us)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_port}/"
        httpx.post(f"{address}/_config/webhooks/us", json={"url": url, "secret": SECRET})
        kept = card(address)
        paid = method.charge(order("local-5", kept), kept)
        events = []
        while not events:
            headers, body = came.get(timeout=30)
            assert json.loads(body)["object"] == "event"
            events = [e for e in method.events(headers, body) if e.key == "local-5"]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert (events[0].kind, events[0].gateway_id) == (EventKind.CAPTURED, paid.gateway_id)
    assert events[0].minor == 1250
