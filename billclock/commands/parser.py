"""The argument parser of all commands: argparse, without what makes it slow to start."""

from __future__ import annotations

import argparse
import os

TYPE_CHECKING = False  # that of typing would load typing, a third of argparse's own time
if TYPE_CHECKING:
    from datetime import date
    from typing import Any

NARROWEST = 40
WIDEST = 100


class Formatter(argparse.RawDescriptionHelpFormatter):
    """Help as wide as the terminal; told the width, argparse need not load shutil for it."""

    def __init__(self, prog: str, width: int | None = None) -> None:
        super().__init__(prog, max_help_position=28, width=width or _width())


class Parser(argparse.ArgumentParser):
    """A parser whose options are spelt out; a usage error ends with 2, as argparse has it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"formatter_class": Formatter, "allow_abbrev": False, **options})


def number(text: str) -> int:
    """Read the number of a run or an entry."""
    most = 2**63 - 1  # of a database's integers
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(most))):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number")
    return min(int(text), most)


def count(text: str) -> int:
    """Read how many are wanted."""
    found = number(text)
    if not 1 <= found <= MOST:
        raise argparse.ArgumentTypeError(f"{text} is out of range 1-{MOST}")
    return found


def many(text: str) -> int:
    """Read how many there are to be, up to ten millions."""
    found = number(text)
    if not 1 <= found <= MOST_ROWS:
        raise argparse.ArgumentTypeError(f"{text} is out of range 1-{MOST_ROWS}")
    return found


def days(text: str) -> int:
    """Read a span of days: 31d or 31."""
    found = number(text.removesuffix("d"))
    if not 1 <= found <= MOST_DAYS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a span of 1 to {MOST_DAYS} days: 31d")
    return found


def day(text: str) -> date:
    """Read a date as 2027-03-28."""
    from datetime import date

    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date such as 2027-03-28") from None


MOST = 100_000
MOST_ROWS = 10_000_000
MOST_DAYS = 3660


def _width() -> int:
    try:
        columns = int(os.environ.get("COLUMNS", "")) or os.get_terminal_size().columns
    except (OSError, ValueError):
        columns = WIDEST
    return min(max(columns, NARROWEST), WIDEST) - 2
