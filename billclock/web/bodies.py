"""Bodies of requests that are larger than anything we take: refused before they are kept."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

MOST = 10 << 20
"""Bytes of a body. The largest thing sent is a bank's statement of 8 MiB, in a form."""

Scope = dict[str, Any]
Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

REFUSAL = b"A request may have 10 MiB at most: send less, or files in parts.\n"


class Bounded:
    """An ASGI application that answers 413 to what would send more than MOST bytes."""

    def __init__(self, application: Application) -> None:
        """Stand before an application."""
        self.application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request. What says no length is counted as it comes."""
        if scope["type"] != "http":
            await self.application(scope, receive, send)
            return
        if _length(scope) > MOST:
            await _refuse(send)
            return
        await self.application(scope, _counted(receive, send), send)


def _counted(receive: Receive, send: Send) -> Receive:
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        if seen > MOST:
            return {"type": "http.disconnect"}
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > MOST:
            await _refuse(send)
            return {"type": "http.disconnect"}
        return message

    return counted


def _length(scope: Scope) -> int:
    told = dict(scope["headers"]).get(b"content-length", b"0")
    return int(told) if told.isdigit() else 0


async def _refuse(send: Send) -> None:
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(REFUSAL)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": REFUSAL})
