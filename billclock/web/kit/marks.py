"""How a state looks and reads: icon, word and colour, never one of them alone."""

from dataclasses import dataclass

from django.utils.functional import Promise


@dataclass(frozen=True, slots=True)
class Mark:
    """An icon (a name of the sprite), a kind (ok, bad, warn, now or off) and a word."""

    icon: str
    kind: str
    word: Promise | str
