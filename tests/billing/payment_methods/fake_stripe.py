"""A server that behaves like Stripe where it matters: keys replayed, answers lost, states kept.

Unlike localstripe it honours Idempotency-Key (the same parameters are replayed, others refused),
it loses requests and answers as told, and it bounds refunds. Its clock is the test's.
"""

import json
import re
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from stripe import WebhookSignature

from billclock.billing.payment_methods.declines import DeclineClass
from billclock.billing.payment_methods.simulated.faults import Fault

SECRET = "whsec_test"
VERSION_HEADER = "Stripe-Version"
CODES = {
    DeclineClass.INSUFFICIENT_FUNDS: "insufficient_funds",
    DeclineClass.LIMIT: "card_velocity_exceeded",
    DeclineClass.TEMPORARY: "try_again_later",
    DeclineClass.DO_NOT_HONOUR: "do_not_honor",
    DeclineClass.EXPIRED_CARD: "expired_card",
    DeclineClass.LOST_OR_STOLEN: "stolen_card",
    DeclineClass.FRAUD: "fraudulent",
    DeclineClass.INVALID: "invalid_account",
    DeclineClass.AUTHENTICATION_REQUIRED: "authentication_required",
}
Told = dict[str, Any]


class RefusedError(Exception):
    """An answer that is an error object."""

    def __init__(self, status: int, **error: object) -> None:
        super().__init__(status, error)
        self.status, self.error = status, error


@dataclass
class FakeStripe:
    """Stripe's truth; `faults` befall the calls that move money, a Fault a call."""

    now: Callable[[], datetime]
    url: str = ""
    objects: dict[str, Told] = field(default_factory=dict)
    kept: dict[str, tuple[str, Told, int, Told]] = field(default_factory=dict)
    faults: deque[Fault] = field(default_factory=deque)
    late: list[Callable[[], object]] = field(default_factory=list)
    told: list[tuple[str, Told]] = field(default_factory=list)
    requests: list[tuple[str, str, dict[str, str], Told]] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    down: bool = False

    def answer(self, method: str, path: str, headers: dict[str, str], sent: Told):
        """Give (status, body), or None where the line goes dead."""
        with self.lock:
            self.requests.append((method, path, headers, sent))
            fault = self._fault(method, path)
            if fault is Fault.DOWN:
                return 503, {"error": {"type": "api_error", "message": "Down."}}
            if fault is Fault.LATE_REQUEST:
                self.late.append(lambda: self._once(method, path, headers, sent))
            if fault in {Fault.LOST_REQUEST, Fault.LATE_REQUEST}:
                return None
            answer = self._once(method, path, headers, sent)
            return None if fault is Fault.LOST_ANSWER else answer

    def arrive(self) -> list[object]:
        """Let late requests arrive, and give what they would have been answered."""
        return [late() for late in [*self.late]]

    def _fault(self, method: str, path: str) -> Fault:
        if method != "POST" or not self.faults:
            return Fault.NONE
        first = self.faults[0]
        moving = path.endswith("/confirm") or path == "/v1/refunds"
        making = path == "/v1/payment_intents"
        if (first is Fault.DOWN and making) or (first is not Fault.DOWN and moving):
            return self.faults.popleft()
        return Fault.NONE

    def _once(self, method: str, path: str, headers: dict[str, str], sent: Told):
        key = headers.get("idempotency-key") if method == "POST" else None
        if key and key in self.kept:
            kept_path, kept_sent, status, body = self.kept[key]
            if (kept_path, kept_sent) != (path, sent):
                error = {"type": "idempotency_error", "message": "Keys are for one request."}
                return 400, {"error": error}
            return status, json.loads(json.dumps(body))
        try:
            status, body = 200, self._do(method, path, sent)
        except RefusedError as refused:
            status, body = refused.status, {"error": refused.error}
        if key and status in {200, 402}:
            self.kept[key] = (path, sent, status, json.loads(json.dumps(body)))
        return status, body

    def _do(self, method: str, path: str, sent: Told) -> Told:
        parts = path.removeprefix("/v1/").removeprefix("checkout/").split("/")
        kind, name, act = (*parts, "", "")[:3]
        if method == "GET":
            return self._expanded(name, sent) if name else self._listed(kind, path, sent)
        if name:
            return getattr(self, f"{kind}_{act}")(self._one(name), sent)
        return getattr(self, kind)(sent)

    def _one(self, name: str) -> Told:
        if name not in self.objects:
            raise RefusedError(404, type="invalid_request_error", code="resource_missing",
                               message=f"No such object: {name}")  # fmt: skip
        return self.objects[name]

    def _expanded(self, name: str, sent: Told) -> Told:
        told = dict(self._one(name))
        for wish in sent.get("expand", {}).values():
            if told.get(wish):
                told[wish] = self.objects[told[wish]]
        return told

    def _listed(self, kind: str, path: str, sent: Told) -> Told:
        kinds = {"sessions": "checkout.session"}
        wanted = kinds.get(kind, kind.removesuffix("s"))
        span = sent.get("created", {})
        found = [
            told for told in reversed(self.objects.values())
            if told["object"] == wanted
            and all(told.get(k) == sent[k] for k in ("customer", "payment_intent") if k in sent)
            and int(span.get("gte", 0)) <= told["created"] <= int(span.get("lte", 1 << 40))
        ]  # fmt: skip
        if "starting_after" in sent:
            names = [told["id"] for told in found]
            found = found[names.index(sent["starting_after"]) + 1 :]
        limit = int(sent.get("limit", 10))
        more = len(found) > limit
        return {"object": "list", "url": path, "has_more": more, "data": found[:limit]}

    def _made(self, prefix: str, kind: str, **told: object) -> Told:
        name = f"{prefix}_{sum(o['object'] == kind for o in self.objects.values()) + 1}"
        created = int(self.now().timestamp())
        made = {"id": name, "object": kind, "created": created, "metadata": {}, **told}
        self.objects[name] = made
        return made

    def tell(self, kind: str, about: Told) -> None:
        event = {
            "id": f"evt_{len(self.told) + 1}", "object": "event", "type": kind,
            "created": int(self.now().timestamp()), "data": {"object": dict(about)},
        }  # fmt: skip
        self.told.append((kind, event))

    def signed(self, event: Told) -> tuple[dict[str, str], bytes]:
        """Give the headers and body by which an event is told, as of now."""
        body = json.dumps(event, indent=2)
        seconds = int(self.now().timestamp())
        header = WebhookSignature.generate_signature_header(body, SECRET, seconds)
        return {"Stripe-Signature": header}, body.encode()

    def customers(self, sent: Told) -> Told:
        return self._made("cus", "customer", **sent)

    def payment_methods_detach(self, method: Told, sent: Told) -> Told:
        if not method["customer"]:
            raise RefusedError(400, type="invalid_request_error", message="It is not attached.")
        method["customer"] = None
        return method

    def payment_intents(self, sent: Told) -> Told:
        method = self._one(sent["payment_method"])
        if method["customer"] != sent["customer"]:
            raise RefusedError(400, type="invalid_request_error", message="It is not theirs.")
        told = {**sent, "amount": int(sent["amount"]), "amount_received": 0}
        return self._made(
            "pi", "payment_intent", **told, status="requires_confirmation", last_payment_error=None
        )

    def payment_intents_confirm(self, intent: Told, sent: Told) -> Told:
        if intent["status"] != "requires_confirmation":
            raise RefusedError(400, type="invalid_request_error",
                               code="payment_intent_unexpected_state", message="No.")  # fmt: skip
        assert sent["off_session"] == "true"
        code = self._one(intent["payment_method"])["declines"]
        if code == "processing":
            intent["status"] = "processing"
            return intent
        if code:
            self._decline(intent, code)
        return self.succeed(intent)

    def _decline(self, intent: Told, code: str) -> None:
        error = {"type": "card_error", "code": "card_declined", "decline_code": code,
                 "message": "Your card was declined."}  # fmt: skip
        intent.update(status="requires_payment_method", last_payment_error=error)
        self.tell("payment_intent.payment_failed", intent)
        raise RefusedError(402, **error, payment_intent=dict(intent))

    def succeed(self, intent: Told) -> Told:
        intent.update(status="succeeded", amount_received=intent["amount"])
        self.tell("payment_intent.succeeded", intent)
        return intent

    def payment_intents_cancel(self, intent: Told, sent: Told) -> Told:
        if intent["status"] in {"succeeded", "canceled", "processing"}:
            raise RefusedError(400, type="invalid_request_error",
                               code="payment_intent_unexpected_state", message="No.")  # fmt: skip
        intent["status"] = "canceled"
        return intent

    def refunds(self, sent: Told) -> Told:
        intent, amount = self._one(sent["payment_intent"]), int(sent["amount"])
        if amount > intent["amount_received"] - self.refunded(intent["id"]):
            raise RefusedError(400, type="invalid_request_error", code="charge_already_refunded",
                               message="More than is left.")  # fmt: skip
        refund = self._made("re", "refund", **{**sent, "amount": amount}, status="succeeded",
                            currency=intent["currency"])  # fmt: skip
        self.tell("refund.created", refund)
        self.tell("charge.refunded", {"object": "charge", "id": "ch_1"})
        return refund

    def refunded(self, intent: str) -> int:
        return sum(
            o["amount"] for o in self.objects.values()
            if o["object"] == "refund" and o["payment_intent"] == intent
        )  # fmt: skip

    def sessions(self, sent: Told) -> Told:
        assert "payment_method_types" not in sent  # refused since 2026-09-30
        ends = int((self.now() + timedelta(hours=24)).timestamp())
        told = {"customer": None, "payment_intent": None, "setup_intent": None, **sent}
        made = self._made("cs", "checkout.session", **told, status="open", expires_at=ends)
        made["url"] = f"{self.url}/pay/{made['id']}"
        return made

    def pay(self, session: str, code: str = "") -> None:
        """Let the client pay at a page, or try to."""
        page = self.objects[session]
        what = page["line_items"]["0"]["price_data"]
        name = page["payment_intent"]
        intent = self.objects[name] if name else self._made(
            "pi", "payment_intent", amount=int(what["unit_amount"]), currency=what["currency"],
            metadata=page["payment_intent_data"]["metadata"], last_payment_error=None,
            amount_received=0, status="requires_payment_method", customer=page["customer"],
        )  # fmt: skip
        page["payment_intent"] = intent["id"]
        if code:
            error = {"code": "card_declined", "decline_code": code, "message": "No."}
            intent["last_payment_error"] = error
            self.tell("payment_intent.payment_failed", intent)
            return
        page["status"] = "complete"
        self.succeed(intent)

    def leave_card(self, session: str) -> None:
        """Let the client leave a card at a page."""
        page = self.objects[session]
        method = self.card(page["customer"])
        intent = self._made("seti", "setup_intent", customer=page["customer"], status="succeeded",
                            payment_method=method["id"],
                            metadata=page["setup_intent_data"]["metadata"])  # fmt: skip
        page.update(status="complete", setup_intent=intent["id"])
        self.tell("setup_intent.succeeded", intent)

    def expire(self, session: str) -> None:
        self.objects[session]["status"] = "expired"
        self.tell("checkout.session.expired", self.objects[session])

    def dispute(self, intent: str, kind: str) -> None:
        told = self.objects[intent]
        self.tell(kind, {"id": "dp_1", "object": "dispute", "payment_intent": intent,
                         "amount": told["amount"], "currency": told["currency"]})  # fmt: skip

    def card(self, customer: str = "", code: str = "") -> Told:
        known = customer or self._made("cus", "customer")["id"]
        told = {"brand": "visa", "last4": "4242", "exp_year": 2028, "exp_month": 2}
        return self._made("pm", "payment_method", card=told, customer=known, declines=code)


def nested(pairs: list[tuple[str, str]]) -> Told:
    """Read `a[b][0]=c` as {"a": {"b": {"0": "c"}}}."""
    told: Told = {}
    for name, text in pairs:
        first, *rest = re.findall(r"[^\[\]]+", name)
        place = told
        for step in [first, *rest][:-1]:
            place = place.setdefault(step, {})
        place[[first, *rest][-1]] = text
    return told


@contextmanager
def fake_stripe(now: Callable[[], datetime]) -> Iterator[FakeStripe]:
    """Serve until the block ends."""
    fake = FakeStripe(now)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            url = urlsplit(self.path)
            self._reply("GET", url.path, nested(parse_qsl(url.query, keep_blank_values=True)))

        def do_POST(self):
            text = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
            self._reply("POST", self.path, nested(parse_qsl(text, keep_blank_values=True)))

        def _reply(self, method: str, path: str, sent: Told) -> None:
            headers = {name.lower(): text for name, text in self.headers.items()}
            answer = fake.answer(method, path, headers, sent)
            if answer is None:
                self.close_connection = True
                return
            status, body = answer
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    fake.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
