"""Checks of an entry's command: what the shell will hardly make of it what was meant."""

import re
from collections.abc import Callable, Iterator

from .defaults import given
from .directives import fault, write_directives
from .faults import ODD_SPACE
from .findings import ERROR, NOTE, WARNING, Finding, Subject, shown
from .repairs import cut_redirect, odd_spaces
from .shell import BUILTINS, KNOWN_PROGRAMS, first_word, has_open_quote, mails, with_mails

_USERS = frozenset(
    b"root daemon bin sys www-data www nobody mail news backup man postgres mysql redis nginx"
    b" apache httpd git ubuntu debian admin".split()
)
_DATE = re.compile(rb"\bdate\b[^|;&]{0,80}?\+(?:\\.|[^\s%\\])*(%)")
_BARE_PERCENT = re.compile(rb"(?<!\\)%")
_NEEDS_SHELL = re.compile(rb"""[$~*?"'`{}\\<>=\[\]]""")
_WORDS = re.compile(rb"(\S+)[ \t]+(\S+)")
CUT = "the redirection at the end is not finished; did you mean 2>&1?"

_DEFAULT_PATH = "/usr/bin:/bin"


def check_command(subject: Subject) -> Iterator[Finding]:
    """Report what is wrong with a command as it stands, without a look at the machine."""
    for check in (_odd_space, _cut_redirect, _open_quote, _percent, _discarded, _user):
        yield from check(subject)


def check_program(subject: Subject, program: Callable[[str], bool]) -> Iterator[Finding]:
    """Report a program that is not there; `program` says of a full path whether it can be run.

    A bare name is looked up along the PATH in force; what only the shell can tell is let pass.
    """
    word = first_word(subject.entry.shell_command)
    if not word or word in BUILTINS or _NEEDS_SHELL.search(word):
        return
    name = word.decode("utf-8", "surrogateescape")
    if "/" in name:
        paths = [name] if name.startswith("/") else []
        reason = "is missing or not executable"
    else:
        folders = subject.environment.get("PATH", _DEFAULT_PATH).split(":")
        paths = [f"{folder}/{name}" for folder in folders if folder]
        reason = f"is found in none of {' '.join(folders)}; give its path"
    if not paths or any(program(path) for path in paths):
        return
    column = subject.planned.raw.index(word, subject.planned.command_at) + 1
    yield Finding(WARNING, "program_missing", subject.entry.line, column, f"{name} {reason}")


def _odd_space(subject: Subject) -> Iterator[Finding]:
    command = subject.entry.command
    found = ODD_SPACE.search(command)
    mended = odd_spaces(command) if found else None
    if found is None or mended is None:
        return
    level, effect = WARNING, "the shell takes it for part of a word"
    if found.start() == 0:
        level, effect = ERROR, "it is the command's first byte, so no program is found"
    yield Finding(
        level,
        "no_break_space",
        subject.entry.line,
        subject.command_column + found.start(),
        f"a no-break or other odd space: {effect}",
        subject.with_command(mended),
    )


def _cut_redirect(subject: Subject) -> Iterator[Finding]:
    command = subject.entry.command
    mended = cut_redirect(command)
    if mended is None:
        return
    column = subject.command_column + command.rfind(b"2>")
    fix = subject.with_command(mended)
    yield Finding(WARNING, "cut_redirect", subject.entry.line, column, CUT, fix)


def _open_quote(subject: Subject) -> Iterator[Finding]:
    if has_open_quote(subject.entry.shell_command):
        message = "a quote is opened and never closed: the shell refuses the command"
        column = subject.command_column
        yield Finding(WARNING, "unclosed_quote", subject.entry.line, column, message)


def _percent(subject: Subject) -> Iterator[Finding]:
    command = subject.entry.command
    found = _DATE.search(command)
    if found is None:
        return
    message = r"a bare % ends the command and starts its input; for date write \%"
    column = subject.command_column + found.start(1)
    fix = subject.with_command(_BARE_PERCENT.sub(rb"\%", command))
    yield Finding(WARNING, "percent_in_date", subject.entry.line, column, message, fix)


def check_runner(
    subject: Subject, directive: bytes, user: Callable[[str], str]
) -> Iterator[Finding]:
    """Report that an entry, with this line above it, does not start as the user it names."""
    name = subject.directives.get("user")
    if name is None or fault("user", name) or not (why := user(name)):
        return
    rest = {key: text for key, text in subject.directives.items() if key != "user"}
    fix = shown(write_directives(rest)) if rest else None
    column = max(directive.find(b"user="), 0) + 1
    yield Finding(ERROR, "user_refused", subject.entry.line - 1, column, why, fix)


def _discarded(subject: Subject) -> Iterator[Finding]:
    command = subject.entry.command
    policy = {**given(subject.environment), **subject.directives}.get("mail")
    wanted = subject.environment.get("MAILTO") if policy is None else policy != "never"
    if mails(command) or not wanted:
        return
    message = "the output is thrown away, although reports of this table are mailed"
    column = subject.command_column + max(command.rfind(b">/dev/null"), 0)
    fix = subject.with_command(with_mails(command, wanted=True))
    yield Finding(NOTE, "output_discarded", subject.entry.line, column, message, fix)


def _user(subject: Subject) -> Iterator[Finding]:
    if subject.system:
        return
    words = _WORDS.match(subject.entry.command)
    if words is None or words[1] not in _USERS:
        return
    if b"/" not in words[2] and words[2] not in KNOWN_PROGRAMS:
        return
    name = words[1].decode()
    message = f"{name} looks like the user column of a system table; a user's table has none"
    fix = subject.with_command(subject.entry.command[words.start(2) :])
    line, column = subject.entry.line, subject.command_column
    yield Finding(WARNING, "user_column", line, column, message, fix)
