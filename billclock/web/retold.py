"""What the floors below say in English, said in the reader's language by the facts in it.

They know no Django and keep some of their sentences in tables of the database, so a sentence is
found again by its form, and its facts are put into the form's translation. What has none stays.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from billclock.cron.expression import Expression
from billclock.scheduler.errors import TableError
from billclock.web.retold_billing import FORMS as BILLING
from billclock.web.retold_concluding import FORMS as CONCLUDING
from billclock.web.retold_cron import FORMS as CRON
from billclock.web.retold_findings import FORMS as FINDINGS
from billclock.web.retold_kept import FORMS as KEPT
from billclock.web.retold_plugins import FORMS as PLUGINS
from billclock.web.retold_records import FORMS as RECORDS
from billclock.web.retold_runs import FORMS as RUNS
from billclock.web.retold_services import FORMS as SERVICES
from billclock.web.retold_tasks import FORMS as TASKS

JOBS = (*CONCLUDING, *RECORDS)
OTHERS = (*RUNS, *FINDINGS, *CRON, *SERVICES, *BILLING, *KEPT, *TASKS, *PLUGINS)
FORMS = (*OTHERS, *JOBS)
PLAIN = frozenset(form for form in FORMS if "%" not in form)
NESTED = ("why", "what")  # facts that are sentences themselves
LONGEST = 2000  # letters of a text that is looked at
BETWEEN = "; "  # what joins the sentences of one reason
MOST_JOINED = 3  # parts of one sentence that has semicolons of its own


def retold(text: str) -> str:
    """Give a sentence, or several joined by semicolons, in the language in force."""
    if not text or len(text) > LONGEST or (get_language() or "en").startswith("en"):
        return text
    return _retold(text, get_language() or "")


def told(error: Exception) -> str:
    """Give what an error says; a command that mends it stays as it is."""
    if isinstance(error, TableError) and error.mend:
        return f"{retold(error.what)}: {error.mend}"
    return retold(str(error))


@lru_cache(maxsize=4096)
def _retold(text: str, _language: str) -> str:
    parts = text.split(BETWEEN)
    said = [_in_form(part) for part in parts]
    if all(said):
        return BETWEEN.join(filter(None, said))
    return _in_form(text) or BETWEEN.join(_piecewise(parts))


def _piecewise(parts: Sequence[str]) -> Iterator[str]:
    """Give what several sentences say, some of which hold a semicolon themselves."""
    at = 0
    while at < len(parts):
        ends = range(min(at + MOST_JOINED, len(parts)), at, -1)
        found = ((end, _in_form(BETWEEN.join(parts[at:end]))) for end in ends)
        end, said = next((one for one in found if one[1]), (at + 1, None))
        yield said or parts[at]
        at = end


def _in_form(text: str) -> str | None:
    if text in PLAIN:
        return _(text)
    for form, shape in _shapes():
        if found := shape.fullmatch(text):
            facts = found.groupdict()
            said = {name: retold(fact) if name in NESTED else fact for name, fact in facts.items()}
            if "described" in facts:
                expression = Expression.parse(facts["expression"])
                said["described"] = expression.describe((get_language() or "en")[:2])
            return _(form).replace(")d", ")s") % said
    return None


@cache
def _shapes() -> list[tuple[str, re.Pattern[str]]]:
    """Give every form with its pattern, in the order in which they are tried.

    Those of jobs come by how many words they begin with: before others' where there are any,
    behind them where there is none.
    """
    by_words = sorted(JOBS, key=lambda form: (-len(form.partition("%(")[0]), -len(_bare(form))))
    begun = [form for form in by_words if not form.startswith("%(")]
    forms = (*begun, *OTHERS, *(form for form in by_words if form.startswith("%(")))
    return [(form, _shape(form)) for form in forms]


def _bare(form: str) -> str:
    """Give a form's words without its facts."""
    return re.sub(r"%\(\w+\)[sd]", "", form)


def _shape(form: str) -> re.Pattern[str]:
    """Give the pattern of a form: words as they stand, `%(name)d` a number, `%(name)s` any text.

    A fact ends where the words behind it first come, for good: no text makes it search for long.
    """
    *pairs, end = re.split(r"(%\(\w+\)[sd])", form.replace("%%", "%"))
    words, facts = [*pairs[::2], end], [_fact(one) for one in pairs[1::2]]
    pattern = re.escape(words[0])
    for fact, behind in zip(facts[:-1], words[1:], strict=False):
        pattern += f"(?>{fact}{re.escape(behind)})"
    if facts:
        pattern += facts[-1].replace(".+?", ".+") + re.escape(end)
    return re.compile(pattern, re.DOTALL)


def _fact(placeholder: str) -> str:
    name, kind = placeholder[2:-2], placeholder[-1]
    return rf"(?P<{name}>\d+)" if kind == "d" else rf"(?P<{name}>.+?)"
