"""One document of rates from an address or a file, within limits of time and size."""

import stat
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import httpx

from billclock.billing.errors import SourceError

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """What a document may cost: seconds of silence, seconds in all, bytes, redirects."""

    silence: float = 20.0
    seconds: float = 90.0
    size: int = 64 * MIB
    redirects: int = 5


USUAL = Limits()


def fetch(place: str, limits: Limits = USUAL) -> bytes:
    """Give what lies at `place`: http(s)://…, file://…, or an absolute path.

    Raise SourceError with `place` (its password and query left out) and the reason.
    """
    scheme = urlsplit(place).scheme.lower()
    if scheme in {"http", "https"}:
        return _download(place, limits)
    if scheme == "file":
        place = unquote(urlsplit(place).path)
    if not place.startswith("/"):
        raise SourceError(
            place, "neither an address nor a path", retry=False, mend="write https://… or /path"
        )
    return _read(Path(place), limits)


def shown(place: str) -> str:
    """Give an address as it may be shown: without password and query, which may be secret."""
    try:
        parts = urlsplit(place)
    except ValueError:  # brackets that hold no address: nobody knows what of it is secret
        return "…"
    if not parts.netloc:
        return place
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _read(path: Path, limits: Limits) -> bytes:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise SourceError(str(path), "not a file", retry=False)
        with path.open("rb") as file:
            data = file.read(limits.size + 1)
    except OSError as error:
        raise SourceError(str(path), error.strerror or str(error), retry=True) from None
    _check_size(len(data), str(path), limits)
    return data


def _download(address: str, limits: Limits) -> bytes:
    place = shown(address)
    try:
        with (
            httpx.Client(
                timeout=limits.silence, follow_redirects=True, max_redirects=limits.redirects
            ) as client,
            client.stream("GET", address) as response,
        ):
            _check_status(response, place)
            return _body(response, place, limits)
    except httpx.TimeoutException:
        reason = f"no answer within {limits.silence:g} seconds"
    except httpx.TooManyRedirects:
        reason = f"more than {limits.redirects} redirects"
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        reason = str(error) or type(error).__name__
    raise SourceError(place, reason, retry=True)


def _check_status(response: httpx.Response, place: str) -> None:
    if response.status_code != httpx.codes.OK:
        status = f"{response.status_code} {response.reason_phrase}".strip()
        raise SourceError(place, f"the server answered {status}", retry=response.is_server_error)


def _body(response: httpx.Response, place: str, limits: Limits) -> bytes:
    end = time.monotonic() + limits.seconds
    data = bytearray()
    for piece in response.iter_bytes():
        data += piece
        _check_size(len(data), place, limits)
        if time.monotonic() > end:
            raise SourceError(place, f"not whole after {limits.seconds:g} seconds", retry=True)
    return bytes(data)


def _check_size(size: int, place: str, limits: Limits) -> None:
    if size > limits.size:
        raise SourceError(place, f"more than {limits.size / MIB:g} MiB", retry=False)
