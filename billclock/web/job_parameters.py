"""The parameters of a billing command: found among its words, and written back among them."""

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.http import QueryDict
from django.utils.translation import gettext as _

from billclock.api.registry import find
from billclock.jobs.job import Job, Program
from billclock.jobs.registry import of_command

# as far as the program's own words go: up to a redirection, a pipe or the next command
_WORD = re.compile(r"""\s*((?:[^\s"'|;&<>\\]|"(?:[^"\\]|\\.)*"|'[^']*'|\\.)+)""")
_SWITCHES = ("dry-run", "confirm", "recalculate")
TYPED, WAS = "p.", "was."  # what the fields of a form are named by: as typed, as shown before


@dataclass(frozen=True)
class Parameter:
    """One parameter: `flag` says that it is spelled --name, `switch` that it is on or left out."""

    name: str
    meaning: str
    flag: bool
    switch: bool
    value: str = ""

    @property
    def values(self) -> tuple[str, ...]:
        """Give what a switch can be besides being left out, in the spelling it has now."""
        said = ("on",) if self.flag else ("on", "off")
        return said if self.value in ("", *said) else (self.value, *said)


@dataclass(frozen=True)
class Word:
    """A word of a command: its place, with the blanks before it, and its text unquoted."""

    start: int
    end: int
    text: str


def of(command: str) -> tuple[Parameter, ...]:
    """Give the parameters of a command with their values; none where it is no billing command."""
    job = of_command(command)
    if job is None:
        return ()
    words = list(_words(command))
    return tuple(
        Parameter(one.name, one.meaning, one.flag, one.switch, _value(one, words))
        for one in _known(job)
    )


def changed(command: str, values: Mapping[str, str]) -> str:
    """Give the command with other values of its parameters; an empty one takes a word out."""
    for one in of(command):
        new = " ".join(values.get(one.name, one.value).split())
        if new != one.value:
            command = _written(command, one, new)
    return command


def typed(given: QueryDict, command: str) -> str:
    """Give a form's command with the parameters that were typed into fields of their own."""
    values = {
        name.removeprefix(TYPED): str(text)
        for name, text in given.items()
        if name.startswith(TYPED) and text != given.get(WAS + name.removeprefix(TYPED))
    }
    return changed(command, values) if values else command


def _known(job: Job) -> Iterator[Parameter]:
    if job.program is Program.MGRCTL:
        function = find(job.key[1])
        for one in function.parameters.values() if function else ():
            yield Parameter(one.name, one.meaning, flag=False, switch=one.type is bool)
        return
    own = {option.name for option in job.options}
    meanings = {
        "date": _("for this day, not today: YYYY-MM-DD"),
        "module": _("for one processing module"),
        "dry-run": _("say what would change, change nothing"),
        "confirm": _("let a limit pass"),
        "recalculate": _("post differences to what was done"),
    }
    taken = {"dry-run"} if job.program is Program.NTSMS else meanings.keys()
    for name, meaning in meanings.items():
        if name in taken and (name not in ("module", "recalculate") or name in own):
            yield Parameter(name, meaning, flag=True, switch=name in _SWITCHES)


def _words(command: str) -> Iterator[Word]:
    at = 0
    while found := _WORD.match(command, at):
        if found[1].isdecimal() and command[found.end() : found.end() + 1] in ("<", ">"):
            return  # the number of a redirection
        yield Word(found.start(), found.end(), _unquoted(found[1]))
        at = found.end()


def _unquoted(text: str) -> str:
    try:
        return "".join(shlex.split(text.replace(r"\%", "%")))
    except ValueError:
        return text


def _value(one: Parameter, words: list[Word]) -> str:
    place = _place(one, words)
    if place is None:
        return ""
    text = words[place].text
    if "=" in text:
        return text.partition("=")[2]
    if one.switch:
        return "on"
    return words[place + 1].text if place + 1 < len(words) else ""


def _place(one: Parameter, words: list[Word]) -> int | None:
    name = f"--{one.name}" if one.flag else one.name
    for place, word in enumerate(words):
        if word.text.startswith(f"{name}=") or (one.flag and word.text == name):
            return place
    return None


def _written(command: str, one: Parameter, value: str) -> str:
    words = list(_words(command))
    place = _place(one, words)
    start = end = words[-1].end
    if place is not None:
        apart = one.flag and not one.switch and "=" not in words[place].text
        last = min(place + apart, len(words) - 1)
        start, end = words[place].start, words[last].end
    return command[:start] + _spelled(one, value) + command[end:]


def _spelled(one: Parameter, value: str) -> str:
    if not value:
        return ""
    if one.flag and one.switch:
        return f" --{one.name}"
    quoted = shlex.quote(value).replace("%", r"\%")
    return f" --{one.name} {quoted}" if one.flag else f" {one.name}={quoted}"
