"""The ways out of the machine: what a channel must do, and which ones there are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeVar


@dataclass(frozen=True, slots=True)
class Letter:
    """A message as its sender wrote it at the moment `at` (aware).

    `headers` are (name, value) pairs, a name may come twice; `dedupe_key`, `group` and `topic`
    are explained at the Message they become.
    """

    channel: str
    dedupe_key: str
    recipients: tuple[str, ...]
    at: datetime
    sender: str = ""
    subject: str = ""
    body: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    payload: Mapping[str, Any] = field(default_factory=dict)
    group: str = ""
    topic: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the other side said, by recipient: refused for good, or delayed and worth a retry.

    Recipients in neither have it.
    """

    refused: Mapping[str, str] = field(default_factory=dict)
    delayed: Mapping[str, str] = field(default_factory=dict)


class ChannelError(Exception):
    """Nothing leaves by this channel now, a retry may help; the text says why, without secrets."""


class Channel(Protocol):
    """One way out. An instance serves one round of delivery and may keep a connection."""

    name: str

    def unready(self) -> str:
        """Say why nothing can be sent at all (what is not set, and where), or give ""."""

    def send(self, letter: Letter, recipients: Sequence[str]) -> Answer:
        """Send to these recipients. Raise ChannelError when that is not the letter's fault."""

    def close(self) -> None:
        """End what connection there is; never raises."""


_registered: dict[str, type[Channel]] = {}

C = TypeVar("C", bound=type[Channel])


def register(channel: C) -> C:
    """Make a channel known under its name (a class decorator)."""
    _registered[channel.name] = channel
    return channel


def names() -> list[str]:
    """Name the channels there are."""
    return sorted(_registered)


def channel(name: str) -> Channel:
    """Make a channel for one round. Raise KeyError for an unknown name."""
    return _registered[name]()
