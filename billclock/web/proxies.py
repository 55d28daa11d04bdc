"""Whose request it is that a reverse proxy passes on: believed of proxies that are named, alone."""

from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def real_client(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Give Django's middleware that puts the client's own address into REMOTE_ADDR.

    The limits of signing in, the sessions and the audit trail take it from there.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if settings.TRUSTED_PROXIES:
            peer = str(request.META.get("REMOTE_ADDR") or "")
            passed_on = str(request.META.get("HTTP_X_FORWARDED_FOR", ""))
            request.META["REMOTE_ADDR"] = client(peer, passed_on, settings.TRUSTED_PROXIES)
        return get_response(request)

    return middleware


def client(peer: str, passed_on: str, trusted: Sequence[Network]) -> str:
    """Give who asks: the last address in X-Forwarded-For that none of our proxies has.

    Each proxy adds at the end whom it heard, so what stands before a stranger's address is his
    own word, and counts for nothing. Where a proxy wrote what is no address, it is the proxy.
    """
    at = _address(peer)
    heard = [word for word in passed_on.split(",") if word.strip()]
    while at is not None and heard and any(at in network for network in trusted):
        before = _address(heard.pop())
        if before is None:
            break
        at = before
    return str(at) if at is not None else peer


def _address(text: str) -> Address | None:
    """Read an address, in brackets or with a port too; an IPv4 address in IPv6 is itself."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ip_address(text)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found
