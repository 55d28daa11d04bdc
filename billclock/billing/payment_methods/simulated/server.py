"""The simulated gateway behind HTTP on loopback: calls, the page of a payment, notices pushed."""

import html
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs

import httpx

from billclock.billing.payment_methods.declines import DeclineClass
from billclock.billing.payment_methods.simulated.acts import ACTS
from billclock.billing.payment_methods.simulated.peer import DownError, NoAnswerError, Peer

LONGEST = 1 << 16  # bytes of a request
AGAIN = timedelta(minutes=5)
SILENCE = 10.0  # seconds

PAGE = """<!doctype html><meta charset="utf-8"><title>Simulated gateway</title>
<h1>{id}</h1><p>No money moves here.</p><form method="post">
<button name="decline" value="">Agree</button>{declines}</form>"""


class Server:
    """Serves a peer while its block lasts; POST /ACT takes and gives JSON, /page/ID is a page."""

    def __init__(self, peer: Peer, now: Callable[[], datetime], port: int = 0) -> None:
        self.peer = peer
        self.now = now
        self._http = _Http(("127.0.0.1", port), _Handler)
        self._http.gateway = self
        self._thread = Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)
        self.address = f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


def push(peer: Peer, until: datetime, url: str) -> int:
    """Post the notices due by `until`; what is not taken comes AGAIN. Give how many were taken."""
    taken = 0
    for notice in peer.deliver(until):
        try:
            answer = httpx.post(
                url, content=notice.body, headers=dict(notice.headers), timeout=SILENCE
            )
            fine = answer.is_success
        except httpx.HTTPError:
            fine = False
        if fine:
            taken += 1
        else:
            peer.again(notice, until + AGAIN)
    return taken


class _Http(ThreadingHTTPServer):
    gateway: Server


class _Handler(BaseHTTPRequestHandler):
    server: _Http

    def do_GET(self) -> None:
        self._page()

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > LONGEST:
            self.send_error(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return
        body = self.rfile.read(int(length))
        if self.path.startswith("/page/"):
            self._decided(body)
        elif self.path.removeprefix("/") in ACTS:
            self._called(self.path.removeprefix("/"), body)
        else:
            self.send_error(HTTPStatus.NOT_FOUND)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as inherited
        pass

    def _called(self, act: str, body: bytes) -> None:
        try:
            answer = self.server.gateway.peer.handle(
                self.server.gateway.now(), act, json.loads(body)
            )
        except DownError:
            self.send_error(HTTPStatus.SERVICE_UNAVAILABLE)
        except NoAnswerError:
            self.close_connection = True  # and not a byte was sent
        except (ValueError, KeyError, TypeError, AttributeError):
            self.send_error(HTTPStatus.BAD_REQUEST)
        else:
            self._give(json.dumps(answer), "application/json")

    def _page(self) -> None:
        buttons = "".join(
            f'<button name="decline" value="{kind}">{kind}</button>' for kind in DeclineClass
        )
        shown = html.escape(self.path.rpartition("/")[2])
        self._give(PAGE.format(id=shown, declines=buttons), "text/html; charset=utf-8")

    def _decided(self, body: bytes) -> None:
        form = parse_qs(body.decode("ascii", "replace"), keep_blank_values=True)
        decline, card = (form.get(name, [""])[0] for name in ("decline", "card"))
        try:
            back = self.server.gateway.peer.decide(
                self.server.gateway.now(), self.path.rpartition("/")[2], decline=decline, card=card
            )
        except ValueError:
            self.send_error(HTTPStatus.BAD_REQUEST)
            return
        self.send_response(HTTPStatus.SEE_OTHER)
        self.send_header("Location", back or self.path)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _give(self, text: str, kind: str) -> None:
        data = text.encode()
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
