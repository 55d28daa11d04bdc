"""English and Russian: every sentence said in both, from the committed catalogue."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from django.test import Client

import billclock
from billclock.scheduler.models import Entry

CATALOGUE = Path(billclock.__file__).parent / "locale" / "ru" / "LC_MESSAGES"


def messages(suffix: str, read: Callable[..., object]) -> dict[object, object]:
    with (CATALOGUE / f"django.{suffix}").open("rb") as file:
        return {(text(m.context), tuple(m.id)): tuple(m.string) for m in read(file) if m.id}


def text(context: bytes | str | None) -> str | None:
    """The context of a message, which the reader of compiled catalogues leaves as bytes."""
    return context.decode() if isinstance(context, bytes) else context


def test_the_compiled_catalogue_is_the_readable_one() -> None:
    assert messages("mo", read_mo) == messages("po", read_po)


def test_what_pages_and_code_say_is_in_the_catalogue() -> None:
    package = Path(billclock.__file__).parent
    said = set()
    for path in package.glob("web/templates/**/*.html"):
        said |= set(re.findall(r'{% translate "([^"]+)"', path.read_text(encoding="utf-8")))
    for path in (*package.glob("web/**/*.py"), *package.glob("accounts/*.py")):
        source = path.read_text(encoding="utf-8")
        said |= set(re.findall(r'\b_\("([^"]+)"\)|gettext\w*\("\w+", "([^"]+)"\)', source))
    plain = {one if isinstance(one, str) else one[0] or one[1] for one in said}
    known = {"".join(sentence) for _, sentence in messages("po", read_po)}
    assert plain - known == set()
    assert len(plain) > 100


def test_every_sentence_has_its_russian() -> None:
    untold = [key for key, told in messages("po", read_po).items() if not told or not all(told)]
    assert untold == []


@pytest.mark.django_db(databases=["default", "scheduler"])
def test_a_page_speaks_the_browsers_language_or_the_chosen_one(
    table: Callable[..., list[Entry]], signed_in: Callable[..., Client]
) -> None:
    table("0 1 * * * /bin/true\n")
    client = signed_in()
    russian = client.get("/", headers={"accept-language": "ru-RU,ru;q=0.9"}).content.decode()
    assert '<html lang="ru"' in russian
    assert "Следующий запуск" in russian
    assert "Каждый день в 01:00" in russian
    client.post("/language", {"language": "en", "next": "/"})
    english = client.get("/", headers={"accept-language": "ru"}).content.decode()
    assert "Next run" in english


@pytest.mark.parametrize(
    ("path", "word"),
    [("/sign-in", "Вход"), ("/nothing", "Здесь ничего нет"), ("/setup/x", "не действует")],
)
@pytest.mark.django_db(databases=["default", "scheduler"])
def test_the_doors_speak_russian_too(path: str, word: str) -> None:
    page = Client().get(path, follow=True, headers={"accept-language": "ru"}).content.decode()
    assert word in page
