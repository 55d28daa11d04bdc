"""The ways out of the machine: what a channel must do, and which ones there are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
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
class Attachment:
    """A file that goes with a mail: its name, its media type, its bytes."""

    name: str
    type: str
    content: bytes


class Fate(StrEnum):
    """What a letter is that went to nobody and never will.

    FAILED: somebody should have had it. DROPPED: nobody needs it any more. UNWANTED: all who could
    have had it said before that they want none such.
    """

    FAILED = "failed"
    DROPPED = "dropped"
    UNWANTED = "unwanted"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the other side said, by recipient: refused for good, or delayed and worth a retry.

    Recipients in neither have it. Of a letter that names none, `addressed` are those to whom it
    went, and `subject` is the one it got. `unsent` says why it went to nobody and never will,
    `fate` what that makes of it.
    """

    refused: Mapping[str, str] = field(default_factory=dict)
    delayed: Mapping[str, str] = field(default_factory=dict)
    addressed: tuple[str, ...] = ()
    subject: str = ""
    unsent: str = ""
    fate: Fate = Fate.FAILED


class ChannelError(Exception):
    """Nothing leaves by this channel now, a retry may help; the text says why, without secrets."""


class Channel(Protocol):
    """One way out. An instance serves one round of delivery and may keep a connection."""

    name: str

    def unready(self) -> str:
        """Say why nothing can be sent at all (what is not set, and where), or give ""."""

    def send(self, letter: Letter, recipients: Sequence[str]) -> Answer:
        """Send to these recipients; to whom it is for where the letter names none.

        Raise ChannelError when it cannot be sent, not by the letter's fault.
        """

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
