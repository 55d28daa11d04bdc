"""`billclock crontab`: crontab(1) as everyone knows it, on Billclock's tables."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from billclock.commands.errors import DONE, FAILED, UsageError
from billclock.commands.pointing import counted, explained
from billclock.commands.reading import STDIN, read
from billclock.commands.start import database, django, who

if TYPE_CHECKING:
    from billclock.scheduler.errors import Refused
    from billclock.scheduler.table import Table


def run(args: Namespace) -> int:
    """Do one of -l, -e, -r, --default, or install a file's text."""
    if args.ask and not args.remove:
        raise UsageError("-i goes with -r")
    if args.default:
        return _print_default()
    database()
    from billclock.commands.whose import table_of

    table = table_of(args.user)
    if args.list:
        return _print(table)
    if args.remove:
        return _remove(table, ask=args.ask)
    if args.edit:
        from billclock.commands.editing import edit

        return edit(table)
    return _install(table, args.file)


def _print_default() -> int:
    django()
    from billclock.jobs.registry import default_table

    _write(default_table())
    return DONE


def _print(table: Table) -> int:
    from billclock.scheduler.errors import NoTable

    snapshot = table.read()
    if snapshot.data is None:
        raise NoTable(table.name)
    _write(snapshot.shown)
    return DONE


def _remove(table: Table, *, ask: bool) -> int:
    if ask and not agreed(f"billclock crontab: really delete {table.name}'s crontab? (y/n) "):
        return DONE
    table.remove(author=who())
    return DONE


def _install(table: Table, file: str) -> int:
    from billclock.scheduler.errors import Refused

    data = read(file)
    source = file if file == STDIN else str(Path(file).absolute())
    try:
        table.replace(data, author=who(), note=f"crontab {file}"[:255], source=source)
    except Refused as refusal:
        print("\n".join(complaint(refusal, data)), file=sys.stderr)
        return FAILED
    return DONE


def complaint(refusal: Refused, data: bytes) -> list[str]:
    """Give the lines that tell every error of a text that was refused."""
    raws = data.split(b"\n")
    told = [f"billclock crontab: {counted(len(refusal.errors), 'error')}, nothing was changed"]
    for error in refusal.errors:
        told += explained(error, raws[(error.line or 1) - 1])
    return told


def agreed(question: str) -> bool:
    """Ask for yes or no until one of them is answered; the end of input is a no."""
    while True:
        print(question, end="", file=sys.stderr, flush=True)
        answer = sys.stdin.readline()
        if not answer:
            print(file=sys.stderr)
            return False
        if answer.strip().lower() in {"y", "yes", "n", "no"}:
            return answer.strip().lower().startswith("y")


def _write(data: bytes) -> None:
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
