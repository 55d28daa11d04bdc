"""What a command is given: a text from a file or standard input, a person's yes or no."""

import sys
from pathlib import Path

from billclock.commands.errors import CommandError

STDIN = "-"
MOST = 64 * 1024 * 1024


def read(file: str) -> bytes:
    """Give the bytes of a file, or of standard input for -. Raise CommandError saying why not."""
    try:
        if file == STDIN:
            data = sys.stdin.buffer.read(MOST + 1)
        else:
            with Path(file).open("rb") as opened:
                data = opened.read(MOST + 1)
    except OSError as error:
        raise CommandError(f"can't read {file}: {error.strerror}") from None
    except ValueError:  # a path with NUL in it
        raise CommandError(f"can't read {file!r}: no file has such a name") from None
    if len(data) > MOST:
        raise CommandError(f"{file} is larger than {MOST // 1024**2} MiB: no crontab is")
    return data


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
