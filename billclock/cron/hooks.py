"""An address that hears of an entry's runs, as text: read, or refused; and as it may be shown."""

from urllib.parse import urlsplit

WHEN = ("always", "success", "failure")
WANTED = "an address such as https://example.org/hook"
LONGEST = 2000


def address(text: str) -> str:
    """Read the address of a webhook: http or https with a host. Raise ValueError."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError(WANTED) from None
    plain = text.isascii() and text.isprintable() and " " not in text and len(text) <= LONGEST
    if not plain or parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise ValueError(WANTED)
    return text


def shown(text: str) -> str:
    """Give an address as it may be shown: without user, password, path and query, all secrets."""
    parts = urlsplit(text)
    rest = "/…" if parts.path.strip("/") or parts.query else ""
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{rest}"
