"""A bank's web server on loopback, which gives its files or misbehaves as a test says."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

FILES = Path(__file__).parent.parent / "data" / "rates"
DAILY = (FILES / "eurofxref-daily.xml").read_bytes()
HISTORY = (FILES / "eurofxref-hist-90d.xml").read_bytes()
CBR_DAILY = (FILES / "XML_daily.xml").read_bytes()


@dataclass
class Bank:
    """What lies at each path (or path and query), and which paths were asked for."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        path = request.path
        self.asked.append(path)
        kind, _, rest = path.lstrip("/").partition("/")
        if kind == "status":
            request.send_error(int(rest))
        elif kind == "circle":
            request.send_response(302)
            request.send_header("Location", f"/circle/{len(self.asked)}")
            request.end_headers()
        elif kind in {"drip", "endless", "silent"}:
            self._torment(request, kind)
        elif body := self.files.get(path, self.files.get(path.partition("?")[0])):
            request.send_response(200)
            request.send_header("Content-Type", "text/html; charset=utf-8")
            request.send_header("Content-Length", str(len(body)))
            request.end_headers()
            request.wfile.write(body)
        else:
            request.send_error(404)

    def _torment(self, request: BaseHTTPRequestHandler, kind: str) -> None:
        """Send nothing, a byte now and then, or without end; until the test is over."""
        if kind == "silent":
            self.over.wait(10)
            return
        request.send_response(200)
        request.end_headers()
        piece, pause = (b"<", 0.05) if kind == "drip" else (b" " * (1 << 16), 0.0)
        try:
            while not self.over.wait(pause):
                request.wfile.write(piece)
        except OSError:
            pass  # the reader had enough


@contextmanager
def bank() -> Iterator[Bank]:
    """Serve until the block ends."""
    serving = Bank()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            serving.answer(self)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    serving.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield serving
    finally:
        serving.over.set()
        server.shutdown()
        thread.join()
        server.server_close()
