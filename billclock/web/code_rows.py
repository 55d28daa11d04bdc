"""A crontab's lines as rows of the page, put together here: a page has three thousand of them."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from html import escape
from typing import Any

from django.urls import reverse
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from billclock.cron.crontab import Crontab
from billclock.cron.findings import Finding
from billclock.web.code import CodeLine, Remark, code_lines
from billclock.web.templatetags.screen import icon

LOOKS = {"error": "circle-x", "warning": "triangle-alert"}
MOST = 3000  # lines of a text that a page shows with their findings


@lru_cache(maxsize=4)
def drawn(
    crontab: Crontab,
    found: tuple[Finding, ...],
    keys: tuple[int, ...],
    table: str,
    *,
    hidden: int,
    may_edit: bool,
    language: str | None,  # noqa: ARG001 - the words of the rows are in it
) -> Mapping[str, Any]:
    """Give the rows of a text without its first `hidden` lines, and how many of them are what.

    The same text with the same findings is asked for again and again, and is drawn once.
    """
    by_line = dict(zip((entry.line for entry in crontab.entries), keys, strict=False))
    lines = list(code_lines(crontab, found, by_line, hidden))
    levels = [line.level for line in lines]
    return {
        "rows": rows(lines[:MOST], table, may_edit=may_edit),
        "count": len(lines),
        "more": max(len(lines) - MOST, 0),
        "bad": levels.count("error"),
        "odd": levels.count("warning"),
    }


def rows(lines: Sequence[CodeLine], table: str, *, may_edit: bool) -> SafeString:
    """Give the rows of all lines, each followed by what is remarked on it."""
    gutter, below = _Gutter(table), _Below(may_edit=may_edit)
    parts: list[str] = []
    for line in lines:
        parts.append(
            f'<li id="line-{line.number}" class="{line.state} {line.level}">'
            f'<span class="no">{line.number}</span><span class="gut">{gutter.of(line)}</span>'
            f'<span class="txt">{line.html}</span></li>\n'
        )
        parts += [below.of(remark) for remark in line.remarks]
    return SafeString("".join(parts))


class _Gutter:
    """What stands between a line's number and its text: whether it runs, and the way to its job."""

    def __init__(self, table: str) -> None:
        show = escape(_("Show the job"))
        jobs = escape(f"{reverse('jobs')}?{urlencode({'table': table})}&entry=")
        self.marks = {
            "on": icon("circle-check"),
            "broken": f'<span class="sr">{escape(_("does not run"))}</span>{icon("circle-x")}',
        }
        self.links = {
            state: (
                f'<a href="{jobs}',
                f'" title="{show}"><span class="sr">{escape(word)}: {show}</span>{icon(name)}</a>',
            )
            for state, word, name in (
                ("on", _("runs"), "circle-check"),
                ("off", _("switched off"), "power-off"),
            )
        }

    def of(self, line: CodeLine) -> str:
        if line.key and line.state in self.links:
            return str(line.key).join(self.links[line.state])
        return self.marks.get(line.state, "")


class _Below:
    """What is said under a line, with the button that mends it for who may."""

    def __init__(self, *, may_edit: bool) -> None:
        self.may_edit = may_edit
        self.column = escape(_("column %(column)s"))
        self.mend = {
            False: icon("wand") + escape(_("Mend the line")),
            True: icon("wand") + escape(_("Mend the file")),
        }

    def of(self, remark: Remark) -> str:
        fix = f'<code class="fix">{escape(remark.fix)}</code>' if remark.fix else ""
        return (
            f'<li class="say{f" {remark.level}" if remark.level in LOOKS else ""}"><span></span>'
            f"<div><span>{icon(LOOKS.get(remark.level, 'info'))}<span>"
            f"<b>{escape(remark.message)}</b> "
            f'<span class="dim">{self.column % {"column": remark.column}}</span>{fix}</span></span>'
            f"{self._button(remark)}</div></li>\n"
        )

    def _button(self, remark: Remark) -> str:
        if not (self.may_edit and remark.mends):
            return ""
        return (
            '<button class="b s" form="mend" name="finding" '
            f'value="{remark.place}:{escape(remark.code)}">{self.mend[remark.whole]}</button>'
        )
