"""`billclock crontab`: crontab(1) as everyone knows it, on Billclock's tables."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from billclock.commands.errors import DONE, FAILED, UsageError
from billclock.commands.loading import django
from billclock.commands.pointing import complaint
from billclock.commands.reading import STDIN, agreed, read
from billclock.commands.start import database, who

if TYPE_CHECKING:
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
        print("\n".join(complaint(refusal.errors, data)), file=sys.stderr)
        return FAILED
    return DONE


def _write(data: bytes) -> None:
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
