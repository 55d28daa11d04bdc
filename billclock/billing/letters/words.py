"""A letter's words: templates in a sandbox, rendered as a subject, as text and as a page.

A letter is written once in a language and laid out three times: its blocks `subject`, `opening`,
`closing` and `action` go into `letter` of templates/subject, templates/text or templates/html. A
provider's own words (Template) take the place of the blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, ClassVar

import css_inline
from babel import Locale, UnknownLocaleError
from django.template import Context, Engine, TemplateDoesNotExist, TemplateSyntaxError
from django.template import Template as Compiled

from billclock.billing.errors import BillingError
from billclock.billing.notifications import Template

FOLDER = Path(__file__).parent / "templates"
LONGEST_SUBJECT = 200
MOST_COMPILED = 512  # a word more in a form that is looked at is another template
FIELDS = {"subject": "subject", "text": "text", "page": "html"}
"""The parts of a letter, and the fields of Template that hold them."""

Values = Mapping[str, Any]


class WordsError(BillingError):
    """A template that cannot be rendered: which one, in which of its parts, at which line."""

    def __init__(self, name: str, part: str, error: Exception) -> None:
        debug = getattr(error, "template_debug", None) or {}
        line = f", line {debug['line']}" if "line" in debug else ""
        near = f" (near {debug['during'].strip()!r})" if debug.get("during", "").strip() else ""
        said = f"{error}" or type(error).__name__
        self.faults = {FIELDS[part]: f"{said}{line}{near}"}
        super().__init__(
            f"the letter {name}, {part}{line}: {said}{near}",
            "mend the template and look at it again",
        )


@dataclass(frozen=True, slots=True)
class Words:
    """A letter as it is read: one line, plain text, an HTML page with its styles in place."""

    subject: str
    text: str
    html: str


class _Sandbox(Engine):
    """An engine that knows letters' language only, and no files but letters' own."""

    default_builtins: ClassVar[list[str]] = ["billclock.billing.letters.language"]


def _engine(layout: str, *, autoescape: bool) -> _Sandbox:
    # debug: errors then know their line
    return _Sandbox(dirs=[str(FOLDER / layout), str(FOLDER)], autoescape=autoescape, debug=True)


SUBJECT = _engine("subject", autoescape=False)
TEXT = _engine("text", autoescape=False)
HTML = _engine("html", autoescape=True)

_INLINER = css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)


def written(kind: str, language: str) -> bool:
    """Tell whether a kind's letter is among our own in a language."""
    return (FOLDER / language / f"{kind}.txt").is_file()


@cache
def locale(language: str) -> str:
    """Give the locale in which amounts and dates are written for a language, en where none is."""
    try:
        return str(Locale.parse(language, sep="-"))
    except (UnknownLocaleError, ValueError):
        return "en"


def of_ours(kind: str, language: str, values: Values) -> Words:
    """Render one of our own letters."""
    name = f"{language}/{kind}.txt"

    def rendered(engine: Engine, part: str) -> str:
        return _guarded(
            f"{kind} ({language})",
            part,
            lambda: engine.get_template(name).render(Context(values, autoescape=engine is HTML)),
        )

    return Words(
        _one_line(rendered(SUBJECT, "subject")),
        _tidy(rendered(TEXT, "text")),
        _inlined(rendered(HTML, "page")),
    )


def of_provider(template: Template, values: Values) -> Words:
    """Render a provider's own words; without a page of their own, the text is made one.

    The frame around them, with the way to unsubscribe, is ours, unless they give a whole page.
    """
    # what an engine gives counts as safe in a page; `_tidy` makes it mere text again
    whose = template.provider.code if template.provider else "all providers"
    name = f"{template.kind} ({template.language}, {whose})"
    subject = _one_line(_from(SUBJECT, template.subject, name, "subject", values))
    text = _from(TEXT, template.text, name, "text", values)
    page = _from(HTML, template.html, name, "page", values) if template.html else ""
    return Words(
        subject,
        _tidy(_framed(TEXT, "own_text", values, subject=subject, own=text)),
        _inlined(
            page
            if "<html" in page.lower()
            else _framed(HTML, "own_page", values, subject=subject, own=page, own_text=_tidy(text))
        ),
    )


def _framed(engine: Engine, name: str, values: Values, **own: str) -> str:
    autoescape = engine is HTML
    return engine.get_template(name).render(Context({**values, **own}, autoescape=autoescape))


def _from(engine: Engine, source: str, name: str, part: str, values: Values) -> str:
    return _guarded(
        name,
        part,
        lambda: _compiled(engine, source).render(Context(values, autoescape=engine is HTML)),
    )


@lru_cache(maxsize=MOST_COMPILED)
def _compiled(engine: Engine, source: str) -> Compiled:
    return engine.from_string(source)


def _guarded(name: str, part: str, render: Callable[[], str]) -> str:
    """Render, and say of what goes wrong where it stands, whatever it is."""
    try:
        return render()
    except (TemplateSyntaxError, TemplateDoesNotExist, RecursionError, ArithmeticError) as error:
        raise WordsError(name, part, error) from error
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        raise WordsError(name, part, error) from error


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_SUBJECT else f"{line[: LONGEST_SUBJECT - 1]}…"


def _tidy(text: str) -> str:
    """Leave single empty lines between paragraphs."""
    lines = [line.rstrip() for line in text.strip().splitlines()]
    kept = [line for n, line in enumerate(lines) if line or (n and lines[n - 1])]
    return "\n".join(kept) + "\n"


def _inlined(page: str) -> str:
    return _INLINER.inline(page)
