"""What is known of a job: its names, its words, its line in the default table, its function."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from billclock.jobs.report import Report

HOME = "/usr/local/mgr5"
"""Where the article's lines look for the programs."""

QUIET = ">/dev/null 2>&1"
COMMON = frozenset({"on", "dry_run", "confirm", "explain"})
SWITCHES = {"on": True, "yes": True, "off": False, "no": False, "": False}


class Program(StrEnum):
    """A program of the article, by its path below HOME."""

    BILLMAINTAIN = "sbin/billmaintain"
    MGRCTL = "sbin/mgrctl"
    NTSMS = "notify/ntsms"

    @property
    def short(self) -> str:
        """Give the name by which a shell finds it."""
        return self.rpartition("/")[2]


class OptionError(ValueError):
    """An option that the job does not have, or a value that the option cannot be."""


@dataclass(frozen=True, slots=True)
class Job:
    """One job of the article.

    `rows` are its numbers in the list of jobs; `arguments` follow the program's name; `schedule`
    is five fields, empty where the article prints none; `quiet` says that the printed line
    discards its output. `function` is None where this version cannot do the job. `scope` gives,
    from the options, the part of the work that a run holds for itself.
    """

    name: str
    rows: tuple[int, ...]
    section: str
    title: str
    meaning: str
    program: Program
    arguments: str
    schedule: str = ""
    quiet: bool = True
    catch_up: bool = False
    function: Callable[..., Report] | None = None
    scope: Callable[[Mapping[str, str]], str] = lambda _: ""

    @property
    def built(self) -> bool:
        """Tell whether this version can do it."""
        return self.function is not None

    @property
    def call(self) -> str:
        """Give the command as one types it: `billmaintain --command billdaily`."""
        return f"{self.program.short} {self.arguments}"

    @property
    def key(self) -> list[str]:
        """Give the words by which a command is known as this job's, its parameters left out."""
        return key_words(self.call)

    @property
    def command(self) -> str:
        """Give the command of the default table, with path and redirection as printed."""
        line = f"{HOME}/{self.program} {self.arguments}"
        return f"{line} {QUIET}" if self.quiet else line

    @property
    def options(self) -> Sequence[inspect.Parameter]:
        """Give the options that are the job's own."""
        if self.function is None:
            return ()
        parameters = inspect.signature(self.function, eval_str=True).parameters.values()
        return [option for option in parameters if option.name not in COMMON]

    def bind(self, options: Mapping[str, str]) -> dict[str, Any]:
        """Give the options as the function takes them; raise OptionError for a wrong one."""
        known = {option.name: option for option in self.options}
        for name in options.keys() - known.keys():
            has = f"it has {', '.join(known)}" if known else "it has none of its own"
            raise OptionError(f"{self.name} has no option {name!r}; {has}")
        return {name: _value(known[name], text) for name, text in options.items()}


def key_words(call: str) -> list[str]:
    """Give a call's words without parameters, redirections and the naming of our own manager."""
    words = call.replace(QUIET, "").replace(" -m billmgr ", " ", 1).split()
    return [word for word in words if "=" not in word or word.startswith("action=")]


def _value(option: inspect.Parameter, text: str) -> bool | str:
    if option.annotation is not bool:
        return text
    if text.lower() not in SWITCHES:
        raise OptionError(f"{option.name}: {text!r} is neither on nor off")
    return SWITCHES[text.lower()]
