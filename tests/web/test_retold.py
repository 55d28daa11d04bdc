"""What the floors below say in English is said in Russian too, fact by fact."""

import ast
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import translation

import billclock
from billclock.billing.errors import AmountTextError, PairError
from billclock.cron.crontab import Crontab
from billclock.cron.errors import CronError
from billclock.cron.examples import explained
from billclock.cron.expression import Expression
from billclock.cron.lint import lint
from billclock.scheduler.errors import Busy, NoTable
from billclock.web import kept
from billclock.web.retold import FORMS, LONGEST, retold, told

PACKAGE = Path(billclock.__file__).parent
SPEAKING = (
    *("cron/refusals", "cron/item_faults", "cron/faults", "cron/directives", "cron/importing"),
    "cron/conditions",
    *("cron/lint_command", "cron/lint_schedule", "cron/lint_table", "cron/lint_text"),
    *("scheduler/orders", "scheduler/environment"),
    *("cron/writing", "cron/editing", "scheduler/attempts", "scheduler/recovery"),
    *("scheduler/executors/launch", "scheduler/executors/link", "scheduler/executors/spawners"),
    *("scheduler/executors/watch", "scheduler/executors/warm", "scheduler/executors/adopted"),
)
SILENT = (  # for programmers and logs, or only a part of a sentence that is told whole
    "every part of the pattern",
    "run %d of entry",
    "no further attempt",
    "the starter does not greet",
    "is missing or not executable",
    "is found in none of",
    "# billclock",
    "as it is",
    "import sys",
)
FACT = "9"
VECTORS = Path(__file__).parents[1] / "data" / "vectors" / "cron_invalid.jsonl"


def sentences(module: str) -> Iterator[str]:
    """Every text of a module that reads as a sentence, with a fact in place of what it counts."""
    tree = ast.parse((PACKAGE / f"{module}.py").read_text(encoding="utf-8"))
    skipped = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):
            skipped.add(id(node.value))
        elif isinstance(node, ast.JoinedStr):
            skipped |= {id(part) for part in node.values}
    for node in ast.walk(tree):
        text = spoken(node) if id(node) not in skipped else ""
        if re.search(r"[a-z]{2,} .*[a-z]", text) and text.count(" ") > 1:
            yield text


def spoken(node: ast.AST) -> str:
    match node:
        case ast.JoinedStr(values):
            return "".join(spoken(value) or FACT for value in values)
        case ast.Constant(str(value)):
            return value
    return ""


def is_russian(text: str) -> bool:
    return re.search("[а-я]{2}", text) is not None


@pytest.mark.parametrize("module", SPEAKING)
def test_every_sentence_of_a_floor_below_has_its_russian(module: str) -> None:
    with translation.override("ru"):
        untold = [text for text in sentences(module) if not is_russian(retold(text))]
    assert [text for text in untold if not text.startswith(SILENT)] == []


def test_every_form_has_its_russian_with_the_same_facts() -> None:
    for form in FORMS:
        with translation.override("ru"):
            russian = translation.gettext(form)
        assert russian != form
        assert sorted(facts(form)) == sorted(facts(russian)), form


def facts(form: str) -> list[str]:
    return re.findall(r"%\((\w+)\)[sd]", form)


def test_a_refused_expression_is_explained_in_russian() -> None:
    rows = [json.loads(line) for line in VECTORS.read_text("utf-8").splitlines()]
    errors = [error for row in rows if row["kind"] == "expr" if (error := refusal(row["expr"]))]
    with translation.override("ru"):
        untold = [error.reason for error in errors if not is_russian(retold(error.reason))]
        assert untold == []
        assert all("(позиция " in told(error) for error in errors)
    assert len(errors) > 50


def refusal(text: str) -> CronError | None:
    try:
        Expression.parse(text)
    except CronError as error:
        return error
    return None


def test_what_staff_is_asked_is_told_part_by_part() -> None:
    with translation.override("ru"):
        assert kept.read("Tell account A7: A service was stopped") == (
            "Сообщить клиенту, лицевой счёт A7: Услуга остановлена"
        )
        said = kept.read("bank: 12.90 EUR of 2026-11-03, Ann Lee: it is no money that came in")
        assert said == "bank: 12,90\xa0€ от 3 ноя 2026, Ann Lee: это не поступление"
        assert retold("BILLmanager daily billing") == "BILLmanager: ежедневные начисления"


def test_facts_keep_their_place() -> None:
    with pytest.raises(CronError) as caught:
        Expression.parse("0 1 1 13 *")
    with translation.override("ru"):
        assert told(caught.value).startswith("месяц: 13 вне диапазона 1-12 (позиция 7)")
        assert retold("overlap: run 7, 9 was still going on") == "наложение: запуск 7, 9 ещё шёл"
        assert retold("it ran longer than its timeout; x is not a mail address") == (
            "выполнялся дольше отведённого времени; x — не почтовый адрес"
        )
        assert told(NoTable("ann")) == "у ann нет crontab"
        assert told(Busy("ann", "7", 1)).endswith(": see what it does: ps -fp 7")
    with translation.override("en"):
        assert told(caught.value) == str(caught.value)


def test_the_lines_of_a_document_are_explained_in_russian() -> None:
    read = explained(b"23 0-23/2 * * * - at 0:23, 2:23"), explained(b"* 5 4-10 0-3 * - at 5:00")
    with translation.override("ru"):
        right, wrong = (retold(one.reason) for one in read if one is not None)
    assert right == "пример, не задание: 23 0-23/2 * * * значит: " + Expression.parse(
        "23 0-23/2 * * *"
    ).describe("ru")
    assert not re.search(r"[a-z]", right)
    assert not re.search(r"[a-z]", wrong)
    assert "возможно, имелось в виду 1-4?; минута * — это каждая минута" in wrong


def test_what_has_no_form_stays_as_it_is() -> None:
    with translation.override("ru"):
        assert retold("%(why)s 100% <script>") == "%(why)s 100% <script>"
        assert retold("") == ""


@pytest.mark.parametrize("piece", ["x starts at 1, before ", "a; ", "x is not one of ", "from "])
def test_a_hostile_text_is_given_up_at_once(piece: str) -> None:
    with translation.override("ru"):
        began = time.process_time()
        retold(piece * (LONGEST // len(piece)))
        retold(piece * 100_000)
    assert time.process_time() - began < 0.5


def test_findings_of_a_bad_table_are_told_in_russian() -> None:
    text = b"\xef\xbb\xbf* 5 * * *\ttrue\r\n*/7 * * * *  www-data /bin/x\n0 0 1 * 1 date +%F\nA=\n#"
    with translation.override("ru"):
        said = [retold(finding.message) for finding in lint(Crontab.parse(text))]
    assert len(said) > 5
    assert all(map(is_russian, said)), said


def test_what_billing_refuses_is_told_with_what_to_do() -> None:
    with translation.override("ru"):
        assert told(PairError("EUR", "it has no single /")).startswith(
            "«EUR» — не пара валют: в ней не ровно один знак /; укажите валюта/цель"
        )
        assert told(AmountTextError("1.234", "has 3 decimals, EUR has 2", 2)) == (
            "«1.234»: знаков после запятой 3, у EUR их 2; пишите цифрами, например 1234.50"
        )
