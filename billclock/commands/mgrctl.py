"""The command `mgrctl`: calls a named function, as the panel's own does."""

from __future__ import annotations

import os
import sys

from billclock.commands.errors import DONE, WRONG, UsageError
from billclock.commands.loading import django
from billclock.commands.parser import Parser
from billclock.commands.start import database, guarded, who

TYPE_CHECKING = False  # that of typing would load typing
if TYPE_CHECKING:
    import argparse

    from billclock.api.documents import Document
    from billclock.api.parameters import Parameter

OUTPUTS = ("text", "xml", "devel", "json")


def main(argv: list[str] | None = None) -> int:
    """Call one function with `argv` (default: the process's own words); give its exit code."""
    words = sys.argv[1:] if argv is None else argv
    return guarded("mgrctl", lambda: _run(words))


def parser() -> Parser:
    """Give the command's parser."""
    whole = Parser(
        prog="mgrctl",
        usage="mgrctl [-m billmgr] [-o FORM] [-i] [-e 'NAME=$VAR'] FUNC [NAME=VALUE ...]",
        description="Call a named function as root on this machine.",
        epilog="exit codes: 0 done, 1 the function failed, 2 wrong usage, 3 held by another run",
    )
    whole.add_argument("-m", dest="manager", choices=["billmgr"], default="billmgr", help="billmgr")
    whole.add_argument("-o", dest="output", choices=OUTPUTS, default="text", help="text, xml, json")
    whole.add_argument(
        "-i", dest="inform", action="store_true", help="list functions; of FUNC: what it takes"
    )
    whole.add_argument(
        "-e", dest="variables", action="append", default=[], metavar="'NAME=$VAR'",
        help="a parameter from the environment, unseen in the list of processes",
    )  # fmt: skip
    whole.add_argument("words", nargs="*", metavar="FUNC [NAME=VALUE ...]", help="the call")
    return whole


def _run(words: list[str]) -> int:
    whole = parser()
    args = whole.parse_intermixed_args(words)
    function, given = _call(args)
    if args.inform:
        return _inform(function)
    if not function:
        whole.error("a function is missing; mgrctl -i lists them")
    database()
    from billclock.accounts.models import Role
    from billclock.api.registry import Actor, all_functions, call

    document = call(function, given, actor=Actor(who(), Role.ROOT))
    _print(function, document, args.output)
    known = any(one.name == function for one in all_functions())
    return document.exit_code if known else WRONG


def _call(args: argparse.Namespace) -> tuple[str, dict[str, str]]:
    """Give the function's name (empty without one) and its parameters."""
    names = [word for word in args.words if "=" not in word]
    if len(names) > 1:
        raise UsageError(f"{names[1]!r} is not of the form NAME=VALUE")
    given: dict[str, str] = {}
    pairs = [word.partition("=") for word in args.words if "=" in word]
    pairs += [(name, "=", _variable(variable)) for name, variable in map(_split, args.variables)]
    for name, _, value in pairs:
        if name in given:
            raise UsageError(f"{name} is given twice")
        given[name] = value
    return (names or [""])[0], given


def _split(text: str) -> tuple[str, str]:
    name, sign, variable = text.partition("=")
    if not (name and sign and variable.lstrip("$")):
        raise UsageError(f"-e: {text!r} is not of the form 'NAME=$VAR'")
    return name, variable.removeprefix("$")


def _variable(name: str) -> str:
    if name not in os.environ:
        raise UsageError(f"-e: there is no variable {name} in the environment")
    return os.environ[name]


def _print(function: str, document: Document, output: str) -> None:
    """Print the answer; a failure is also told, or told only, on standard error."""
    fault = document.fault
    if fault is None or document.text or output != "text":
        print(document.write(output), flush=True)
    if fault is not None:
        print(f"mgrctl: {function}: {fault.message} (type {fault.type})", file=sys.stderr)


def _inform(function: str) -> int:
    """List the functions, or the parameters of one."""
    django()
    from billclock.api.registry import all_functions

    known = {one.name: one for one in all_functions()}
    if not function:
        _print_pairs([(one.name, one.title) for one in known.values()])
        return DONE
    if function not in known:
        from difflib import get_close_matches

        near = get_close_matches(function, known, 1)
        meant = f"did you mean {near[0]}?" if near else "mgrctl -i lists them"
        raise UsageError(f"there is no function {function!r}; {meant}")
    taken = known[function].parameters.values()
    _print_pairs([(one.name, _meaning(one)) for one in taken])
    return DONE


def _meaning(parameter: Parameter) -> str:
    needed = ", needed" if parameter.required else ""
    holds = f"({parameter.holds}{needed})"
    return f"{parameter.meaning} {holds}" if parameter.meaning else holds


def _print_pairs(pairs: list[tuple[str, str]]) -> None:
    widest = max((len(name) for name, _ in pairs), default=0)
    for name, meaning in pairs:
        print(f"{name:<{widest}}  {meaning}")


if __name__ == "__main__":
    sys.exit(main())
