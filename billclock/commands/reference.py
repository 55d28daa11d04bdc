"""`billclock reference`: writes docs/reference from the commands, the settings and the jobs."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from billclock.commands import billclock, billmaintain, mgrctl, ntsms
from billclock.commands.arguments import COMMANDS
from billclock.commands.errors import DONE, FAILED
from billclock.commands.loading import django
from billclock.commands.parser import Formatter

if TYPE_CHECKING:
    from billclock.jobs.job import Job

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "reference"
WIDTH = 88


def run(args: Namespace) -> int:
    """Write the pages, or with --check tell which are stale and end with 1."""
    django()
    pages = {
        FOLDER / "commands.md": _commands(),
        FOLDER / "settings.md": _settings(),
        FOLDER / "jobs.md": _jobs(),
    }
    stale = [place for place, text in pages.items() if _content(place) != text]
    if args.check:
        for place in stale:
            told = f"docs/reference/{place.name} is stale: run ./run billclock reference"
            print(told, file=sys.stderr)
        return FAILED if stale else DONE
    FOLDER.mkdir(parents=True, exist_ok=True)
    for place in stale:
        place.write_text(pages[place], encoding="utf-8")
        print(f"docs/reference/{place.name}")
    return DONE


class Page(Formatter):
    """Help as wide as a page, whatever the terminal."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=WIDTH)


def _content(place: Path) -> str:
    return place.read_text(encoding="utf-8") if place.exists() else ""


def _page(title: str, *parts: str) -> str:
    note = "<!-- Written by `./run billclock reference`. -->"
    return "\n\n".join([f"# {title}", note, *parts]) + "\n"


def _commands() -> str:
    parsers: list[ArgumentParser] = [billclock.whole_parser()]
    parsers += [billclock.parser_of(word) for word in COMMANDS]
    parsers += [mgrctl.parser(), billmaintain.parser(), ntsms.parser()]
    return _page("Commands", *map(_command, parsers))


def _command(parser: ArgumentParser) -> str:
    parser.formatter_class = Page
    return f"## {parser.prog}\n\n```text\n{parser.format_help().rstrip()}\n```"


def _settings() -> str:
    from django.conf import settings

    head = "Every setting is a variable of the environment."
    rows = "\n".join(_setting(one.name, one.default, one.meaning) for one in settings.DESCRIBED)
    return _page("Settings", head, f"| Variable | Default | Meaning |\n| --- | --- | --- |\n{rows}")


def _setting(name: str, default: str, meaning: str) -> str:
    from django.conf import settings

    # this machine's paths say nothing to a reader
    default = {"True": "yes", "False": "no"}.get(default, default)
    if name != "BILLCLOCK_HOME":
        default = default.replace(str(settings.HOME), "$BILLCLOCK_HOME")
    default = default.replace(f"{ROOT}/", "").replace("|", "\\|")
    shown = f"`{default}`" if default else ""
    return f"| `{name}` | {shown} | {meaning} |"


def _jobs() -> str:
    from billclock.jobs.registry import all_jobs

    parts: list[str] = []
    section = ""
    for job in all_jobs():
        if job.section != section:
            section = job.section
            parts.append(f"## {section}")
        parts.append(_job(job))
    return _page("Jobs", *parts)


def _job(job: Job) -> str:
    facts = [f"`{job.call}`"]
    if job.schedule:
        facts.append(f"By default: `{job.schedule} {job.command}`")
    if job.catch_up:
        facts.append("A missed moment is made up for once (`catch-up=once`).")
    facts += [f"Option `{option.name}={option.default}`" for option in job.options]
    if not job.built:
        facts.append("Not in this version: its line is switched off, and calling it ends with 1.")
    listed = "\n".join(f"- {fact}" for fact in facts)
    return f"### {job.title}\n\n{job.meaning}.\n\n{listed}"
