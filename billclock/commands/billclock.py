"""The command `billclock`: reads its words, then loads the module that does what they ask."""

import sys

from billclock import __version__
from billclock.commands.arguments import COMMANDS
from billclock.commands.parser import Parser
from billclock.commands.start import guarded

DESCRIPTION = "A cron scheduler with a web face, and the hosting-billing jobs it runs."
EXIT_CODES = "exit codes: 0 done, 1 failed (told on stderr), 2 wrong usage, 3 held by another run"


def main(argv: list[str] | None = None) -> int:
    """Run one command with `argv` (default: the process's own words); give its exit code."""
    words = sys.argv[1:] if argv is None else argv
    known = bool(words) and words[0] in COMMANDS
    return guarded(f"billclock {words[0]}" if known else "billclock", lambda: _run(words))


def whole_parser() -> Parser:
    """Give the parser that knows the commands' names and nothing of their arguments."""
    listed = "\n".join(f"  {word:<14}{meaning}" for word, (_, meaning, _) in COMMANDS.items())
    epilog = f"commands (billclock COMMAND -h says more):\n{listed}\n\n{EXIT_CODES}"
    parser = Parser(prog="billclock", description=DESCRIPTION, epilog=epilog)
    parser.add_argument("--version", action="version", version=f"billclock {__version__}")
    parser.add_argument("command", metavar="COMMAND", help="one of those below")
    return parser


def parser_of(word: str) -> Parser:
    """Give the parser of one command; the others' are not built, which would take longer."""
    parser = Parser(prog=f"billclock {word}", epilog=EXIT_CODES)
    COMMANDS[word][2](parser)
    return parser


def _run(words: list[str]) -> int:
    if not words or words[0] not in COMMANDS:
        return _explain(words)
    args = parser_of(words[0]).parse_args(words[1:])
    from importlib import import_module

    module = import_module(f"billclock.commands.{COMMANDS[words[0]][0]}")
    return int(module.run(args))


def _explain(words: list[str]) -> int:
    """Do without a command: print help or the version, or tell what was meant."""
    parser = whole_parser()
    word = parser.parse_known_args(words)[0].command
    from difflib import get_close_matches

    near = get_close_matches(word, COMMANDS, 1)
    meant = f"did you mean {near[0]}?" if near else "billclock --help lists them"
    parser.error(f"there is no command {word!r}; {meant}")


if __name__ == "__main__":
    sys.exit(main())
