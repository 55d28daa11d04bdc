"""Any text as one can look at it safely: what is invisible or turns text around is named."""

import unicodedata

CONTROLS = {code: f"^{chr(code ^ 0x40)}" for code in (*range(0x20), 0x7F)}  # as cat -v


def visible(text: str) -> str:
    """Give one line of text with control codes (as ^G) and turning marks (as ⟨U+202E⟩) named.

    Bytes that were no UTF-8, kept as surrogate escapes, are named as ⟨E9⟩.
    """
    if text.isprintable():
        return text
    return "".join(_shown(char) for char in text)


def _shown(char: str) -> str:
    if char == "\t" or char.isprintable() or unicodedata.category(char) == "Zs":
        return char
    if "\udc80" <= char <= "\udcff":
        return f"⟨{ord(char) - 0xDC00:02X}⟩"
    return CONTROLS.get(ord(char)) or f"⟨U+{ord(char):04X}⟩"
