"""Bodies that are too large: refused by the real server before anything is kept of them."""

import http.client
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from billclock.web.bodies import MOST
from tests.web.server import Server, serving


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("home")) as found:
        yield found


def sent(server: Server, size: int, *, told: bool) -> int:
    """Send a body, its length told or in parts, and give the answer's status."""
    link = http.client.HTTPConnection(urlsplit(server.address).netloc, timeout=20)
    part = b"x" * 65_536
    parts = (part for _ in range(size // len(part)))
    headers = {"Content-Type": "application/octet-stream"}
    try:
        if told:
            link.request("POST", "/sign-in", headers={**headers, "Content-Length": str(size)})
        else:
            link.request("POST", "/sign-in", parts, headers, encode_chunked=True)
    except (BrokenPipeError, ConnectionResetError):
        pass  # it was answered before all was sent
    try:
        return link.getresponse().status
    finally:
        link.close()


def test_what_says_that_it_is_too_large_is_not_read(server: Server) -> None:
    assert sent(server, 1 << 40, told=True) == 413


def test_what_becomes_too_large_is_cut_off(server: Server) -> None:
    assert sent(server, MOST + (1 << 20), told=False) == 413


def test_what_may_be_sent_is_answered_as_ever(server: Server) -> None:
    assert sent(server, 1 << 20, told=False) == 403  # no token
    assert not list(Path(server.home).rglob("*.upload*"))
