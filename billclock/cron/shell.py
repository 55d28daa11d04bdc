"""What a command's bytes mean to cron and to the shell: its input, first word and redirections."""

import re
from collections.abc import Iterator

DISCARD = b" >/dev/null 2>&1"

KNOWN_PROGRAMS = frozenset(
    b"""
    . : [ awk bash billclock billmaintain bzip2 cat cd certbot chmod chown chronic command cp curl
    dash date dd df docker du echo env eval exec export false find flock git grep gunzip gzip if
    ionice kill killall ln logger logrotate ls mail make mgrctl mkdir mongodump mv mysql mysqldump
    nice node nohup npm ntpdate ntsms perl pg_dump php pkill podman printf psql python python2
    python3 reboot restic rm rsync ruby run-one run-parts scp sed service set setpriv sh shutdown
    sleep ssh su sudo sync systemctl tail tar tee test timeout touch true trap umask unset wget
    while xargs zip zsh
    """.split()
)
"""Command words that are taken for programs without a look at the machine."""

BUILTINS = frozenset(
    b"! . : [ ( { alias bg break case cd command continue echo eval exec exit export false fg for"
    b" getopts hash if jobs kill let printf pwd read readonly return set shift source test time"
    b" times trap true type ulimit umask unalias unset until wait while [[".split()
)
"""Words that the shell itself knows."""

_FIRST_WORD = re.compile(
    rb"""(?:[ \t({!]|[A-Za-z_][A-Za-z0-9_]*=(?:"[^"]*"|'[^']*'|[^\s"';&|])*[ \t])*"""
    rb"""([^\s;&|()<>]+)"""
)
_COMMAND_PART = re.compile(rb"(?:[^\\%]|\\.|\\\Z)*", re.DOTALL)
_INPUT_PART = re.compile(rb"\\%|%")


def first_word(command: bytes) -> bytes:
    """Give the word that names the program, leading assignments and brackets passed over."""
    found = _FIRST_WORD.match(command)
    return found.group(1) if found else b""


def names_program(command: bytes, programs: frozenset[bytes]) -> bool:
    """Tell whether the first word is a path or one of `programs`, so that no prose is meant."""
    word = first_word(command)
    return b"/" in word or word in programs


def split_input(command: bytes) -> tuple[bytes, bytes | None]:
    r"""Split at the first bare `%` into what the shell gets and its standard input, or None.

    Debian's cron (do_command.c): `\%` is a percent sign and, in the command, `\\` one backslash;
    in the input every bare `%` is a newline, and a last newline is added where there is none.
    Quotes protect nothing.
    """
    if b"%" not in command and b"\\" not in command:
        return command, None
    found = _COMMAND_PART.match(command)
    end = found.end() if found else 0
    shell_command = re.sub(rb"\\([%\\])", rb"\1", command[:end])
    if end == len(command):
        return shell_command, None
    text = _INPUT_PART.sub(lambda sign: b"%" if len(sign[0]) > 1 else b"\n", command[end + 1 :])
    return shell_command, text if not text or text.endswith(b"\n") else text + b"\n"


def mails(command: bytes) -> bool:
    """Tell whether the output is left for the report: what the shell gets does not discard it."""
    return not split_input(command)[0].endswith(DISCARD)


def with_mails(command: bytes, wanted: bool) -> bytes:
    """Give the command with the ending that discards its output, or without it."""
    if mails(command) == wanted:
        return command
    found = _COMMAND_PART.match(command)
    end = found.end() if found else 0
    kept = command[:end].removesuffix(DISCARD) if wanted else command[:end].rstrip(b" \t") + DISCARD
    return kept + command[end:]


def _plain_bytes(command: bytes) -> Iterator[tuple[int, int]]:
    """Walk the places and bytes that no quote or backslash protects; a last -1 if one is open."""
    quote = 0
    at, end = 0, len(command)
    while at < end:
        byte = command[at]
        if quote:
            if byte == quote:
                quote = 0
            elif byte == ord("\\") and quote == ord('"'):
                at += 1
        elif byte in b"'\"":
            quote = byte
        elif byte == ord("\\"):
            at += 1
        elif byte == ord("#") and (at == 0 or command[at - 1] in b" \t;&|("):
            return
        else:
            yield at, byte
        at += 1
    if quote:
        yield end, -1


def has_open_quote(command: bytes) -> bool:
    """Tell whether a quote is never closed, as the shell would see it."""
    if b"'" not in command and b'"' not in command:
        return False
    return any(byte == -1 for _, byte in _plain_bytes(command))


def is_simple(command: bytes) -> bool:
    r"""Tell whether it is one command: no `;`, `&`, `|` or newline outside quotes.

    The ampersand of a redirection (`2>&1`, `&>file`) joins nothing and is allowed.
    """
    for at, byte in _plain_bytes(command):
        redirects = command[at - 1 : at] in (b">", b"<") or command[at + 1 : at + 2] == b">"
        if byte < 0 or byte in b";|\n" or (byte == ord("&") and not redirects):
            return False
    return True
