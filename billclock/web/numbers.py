"""Whole numbers as an address or a form gives them, of any length."""

LARGEST = 2**63 - 1  # of a database's whole numbers


def whole(text: str) -> int | None:
    """Read a whole number from 0 to the largest a database knows; None of anything else."""
    if not (text.isascii() and text.isdecimal()) or len(text.lstrip("0")) > len(str(LARGEST)):
        return None
    found = int(text.lstrip("0") or "0")
    return found if found <= LARGEST else None


def wholes(texts: list[str]) -> list[int]:
    """Read several, each once and in their order; what is none is left out."""
    found = (whole(text) for text in texts)
    return list(dict.fromkeys(number for number in found if number is not None))
