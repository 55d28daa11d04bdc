"""What happens by chance, and always the same for the same: numbers drawn from names and dates."""

from __future__ import annotations

from hashlib import blake2b

HUNDRED = 100


def draw(of: int, *what: object) -> int:
    """Draw a number from 0, below `of`, always the same for the same."""
    drawn = blake2b("/".join(map(str, what)).encode(), digest_size=4).digest()
    return int.from_bytes(drawn) % of


def chance(per_cent: int, *what: object) -> bool:
    """Tell whether something of so many in a hundred happens."""
    return draw(HUNDRED, *what) < per_cent
