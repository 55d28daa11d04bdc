"""Webhooks: a letter's body posted as JSON to the address in its payload, signed with a secret.

Identity, moment and signature stand in the headers that standardwebhooks.com describes.
"""

import asyncio
import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

import httpx
from django.conf import settings

from billclock import __version__, clock
from billclock.outbox.channels import Answer, Letter, register

TIMEOUT = 10.0
"""Seconds the whole of one call may take."""

DONE = range(200, 300)
REDIRECTS = range(300, 400)
LATER = {408, 425, 429, *range(500, 600)}
"""Answers that say a later try may do; any other refusal is for good."""

WORDS_AT_MOST = 200


@register
class Webhook:
    """Posts letters; one whose host did not answer is not called again in the same round.

    Each letter waits for its own host: there is none whose silence stops all others.
    """

    name = "webhook"

    def __init__(self) -> None:
        self._silent: dict[str, str] = {}

    def unready(self) -> str:
        """Give "": there is nothing to set."""
        return ""

    def send(self, letter: Letter, recipients: Sequence[str]) -> Answer:
        """Post to the payload's `url`; `recipients` is that address as it may be shown."""
        url = str(letter.payload.get("url", ""))
        host = urlsplit(url).netloc
        if host in self._silent:
            return Answer(delayed=dict.fromkeys(recipients, self._silent[host]))
        try:
            status, leads = asyncio.run(_within(url, letter.body, headers(letter)))
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, UnicodeError, ValueError):
            return Answer(refused=dict.fromkeys(recipients, "it is no address of a web server"))
        except (httpx.HTTPError, TimeoutError, OSError) as error:
            self._silent[host] = _why(error)
            return Answer(delayed=dict.fromkeys(recipients, self._silent[host]))
        return _answer(status, leads, recipients)

    def close(self) -> None:
        """Do nothing: no connection outlives its call."""


def headers(letter: Letter) -> Mapping[str, str]:
    """Give the headers of a call; the signature only where there is a secret."""
    moment = str(int(clock.seconds()))
    given = {
        "Content-Type": "application/json",
        "User-Agent": f"Billclock/{__version__}",
        "webhook-id": letter.dedupe_key,
        "webhook-timestamp": moment,
    }
    if settings.WEBHOOK_SECRET:
        signed = f"{letter.dedupe_key}.{moment}.{letter.body}".encode()
        digest = hmac.new(_key(settings.WEBHOOK_SECRET), signed, hashlib.sha256).digest()
        given["webhook-signature"] = f"v1,{base64.b64encode(digest).decode()}"
    return given


def _key(secret: str) -> bytes:
    """Give a secret's bytes: base64 behind `whsec_`, as others hand them out, else as it stands."""
    try:
        if secret.startswith("whsec_"):
            return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        pass
    return secret.encode()


async def _within(url: str, body: str, given: Mapping[str, str]) -> tuple[int, str]:
    return await asyncio.wait_for(_post(url, body, given), TIMEOUT)


async def _post(url: str, body: str, given: Mapping[str, str]) -> tuple[int, str]:
    """Post, and give the status and where it leads; of the answer's body not a byte is read."""
    async with (
        httpx.AsyncClient(follow_redirects=False, timeout=TIMEOUT) as client,
        client.stream("POST", url, content=body.encode(), headers=given) as response,
    ):
        return response.status_code, response.headers.get("location", "")


def _answer(status: int, leads: str, recipients: Sequence[str]) -> Answer:
    if status in DONE:
        return Answer()
    if status in LATER:
        return Answer(delayed=dict.fromkeys(recipients, f"it answered {status}"))
    why = f"it answered {status}"
    if status in REDIRECTS:
        host = urlsplit(leads).hostname
        to = f" to {host}" if host else ""
        why += f", which leads on{to}: webhooks follow nowhere, give the last address"
    return Answer(refused=dict.fromkeys(recipients, why))


def _why(error: Exception) -> str:
    if isinstance(error, TimeoutError | httpx.TimeoutException):
        return f"no answer within {TIMEOUT:.0f} s"
    return (str(error) or type(error).__name__)[:WORDS_AT_MOST]
