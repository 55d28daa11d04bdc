"""A job's output made safe to look at: what a terminal would act upon is shown or left out."""

import re

from billclock.web.visible import visible

# ECMA-48: control sequences (colours, cursor), strings (titles, links) and single escapes
ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"
    r"|\x1b[]PX^_].*?(?:\x07|\x1b\\|$)"
    r"|\x1b[ -/]*[0-~]",
    re.DOTALL,
)


def lines(data: bytes) -> list[str]:
    """Give output as the lines a terminal would leave standing, in plain text.

    Colours and cursor movements are left out, a line written over by a carriage return is as it
    was last; other control codes (as ^G) and marks that turn text around (as ⟨U+202E⟩) are named.
    """
    text = ESCAPES.sub("", data.decode("utf-8", "replace")).replace("\r\n", "\n")
    found = text.split("\n")
    if found[-1] == "":
        found.pop()
    return [visible(_written_last(line)) for line in found]


def _written_last(line: str) -> str:
    return next((part for part in reversed(line.split("\r")) if part), "")
