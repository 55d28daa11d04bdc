"""`billclock crontab -e`: a table in an editor, until it is saved, given up, or kept in a file."""

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from billclock.commands.errors import DONE, CommandError
from billclock.commands.pointing import complaint
from billclock.commands.reading import agreed
from billclock.commands.start import who
from billclock.scheduler.errors import Conflict, Refused, TableError
from billclock.scheduler.table import Table

NOTE = "crontab -e"


def edit(table: Table) -> int:
    """Let a person edit a table. What he wrote is installed or kept in a file, never lost.

    Raise CommandError that names this file.
    """
    shown = table.load()
    if shown.data is None:
        _say(f"no crontab for {table.name}, using an empty one")
    folder = Path(tempfile.mkdtemp(prefix="billclock-crontab."))
    file = folder / "crontab"
    file.write_bytes(shown.shown)
    try:
        saved = _edit(table, file, shown.shown, shown.digest)
    except BaseException:
        if _changed(file, shown.shown):
            _say(f"the edited text is kept in {file}")
        else:
            shutil.rmtree(folder)
        raise
    shutil.rmtree(folder)
    _say(saved)
    return DONE


def _edit(table: Table, file: Path, before: bytes, seen: str) -> str:
    """Open the editor until what it leaves is installed; give the sentence that says so."""
    while True:
        _open(file)
        if not _changed(file, before):
            return "no modification made"
        data = file.read_bytes()
        try:
            table.replace(data, author=who(), seen=seen, note=NOTE)
        except Refused as refusal:
            print("\n".join(complaint(refusal.errors, data)), file=sys.stderr)
        except Conflict as conflict:
            return _merge(table, conflict)
        except TableError as error:
            _say(str(error))
        else:
            return f"installed the new crontab of {table.name}"
        if not agreed("Do you want to retry the same edit? (y/n) "):
            raise CommandError("nothing was changed")


def _merge(table: Table, conflict: Conflict) -> str:
    """Save both edits where they touch different lines."""
    if conflict.merged is None:
        raise CommandError(
            f"the crontab of {table.name} was changed by another meanwhile, on the same lines: "
            "nothing was changed; compare with billclock crontab -l"
        )
    from billclock.scheduler.versions import digest

    try:
        table.replace(
            conflict.merged, author=who(), seen=digest(conflict.theirs), note=f"{NOTE}, merged"
        )
    except Refused as refusal:
        print("\n".join(complaint(refusal.errors, conflict.merged)), file=sys.stderr)
        raise CommandError("the other's changes and these make no crontab together") from None
    return (
        f"the crontab of {table.name} was changed by another meanwhile, on other lines: "
        "both changes are in force"
    )


def _open(file: Path) -> None:
    """Run the editor on a file; Ctrl-C is its own affair. Raise CommandError if it fails."""
    editor = _editor()
    command = ["/bin/sh", "-c", f'{editor} "$1"', "sh", str(file)]
    with subprocess.Popen(command) as process:
        while True:
            try:
                code = process.wait()
                break
            except KeyboardInterrupt:
                continue
    if code:
        raise CommandError(f"the editor {editor} ended with {code}: nothing was changed")


def _editor() -> str:
    """Give the editor's command line, as the shell reads it."""
    chosen = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if chosen:
        return chosen
    found = shutil.which("sensible-editor") or shutil.which("vi") or shutil.which("nano")
    if found is None:
        raise CommandError("there is no editor: name one with EDITOR")
    return shlex.quote(found)


def _changed(file: Path, before: bytes) -> bool:
    return file.exists() and file.read_bytes() != before


def _say(sentence: str) -> None:
    print(f"billclock crontab: {sentence}", file=sys.stderr)
