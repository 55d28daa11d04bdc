"""References with check digits that clients name in a transfer (ISO 11649); pure."""

LONGEST = 21  # characters after RF and the two check digits


def creditor_reference(text: str) -> str:
    """Give the creditor reference of a number: RF, two check digits, its letters and digits.

    Raise ValueError where it has none, or more than LONGEST.
    """
    kept = "".join(letter for letter in text.upper() if letter.isascii() and letter.isalnum())
    if not 0 < len(kept) <= LONGEST:
        raise ValueError(f"{text!r} has {len(kept)} letters and digits, not 1 to {LONGEST}")
    check = 98 - _value(f"{kept}RF00") % 97
    return f"RF{check:02}{kept}"


def _value(text: str) -> int:
    return int("".join(str(int(letter, 36)) for letter in text))
