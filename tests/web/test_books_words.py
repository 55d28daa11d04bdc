"""What the books keep by codes and in English, said to people in their language."""

import re
from collections.abc import Callable

import pytest
from asgiref.sync import async_to_sync
from django.test import Client
from django.utils import translation

from billclock.accounts.models import Role
from billclock.billing.ledger import Kind, LedgerAccount
from billclock.billing.payment_methods import offered as methods
from billclock.billing.payment_methods.declines import DeclineClass
from billclock.billing.payments import Payment, StoredMethod
from billclock.billing.processing import offered as modules
from billclock.web import kept, ledger_words, payment_words, plugin_words
from billclock.web.retold_kept import FORMS as KEPT
from tests.billing.company import House
from tests.web.test_kit_list import whole

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])
SignedIn = Callable[..., Client]
RUSSIAN = {"accept-language": "ru"}
PLUGINS = [*methods.kinds().values(), *modules.kinds().values()]


def page(browser: Client, path: str, **headers: str) -> str:
    answer = browser.get(path, headers=headers)
    assert answer.status_code == 200, path
    return answer.content.decode()


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda plugin: plugin.__module__)
def test_a_plugin_and_its_settings_have_names_and_meanings_in_russian(plugin: type) -> None:
    assert plugin.name in plugin_words.KINDS
    with translation.override("ru"):
        for field in plugin.fields:
            assert field.name in plugin_words.LABELS
            assert re.search("[а-я]{2}", plugin_words.meaning(field)), field.meaning
            said = {plugin_words.choice(field.name, each) for each in field.choices}
            assert not said & set(field.choices)


def test_a_forms_settings_are_told_and_refused_in_russian(signed_in: SignedIn) -> None:
    house, browser = House(), signed_in()
    shown = page(browser, "/payment-methods/new", **RUSSIAN)
    assert "Настройки: банковский перевод" in shown
    assert "Чей это счёт." in shown
    assert ">secret_key" not in shown
    wrong = {
        "plugin": "bank_transfer", "code": "bank", "name": "Bank", "active": "on",
        "provider": house.provider.pk, "currency": "EUR", "set-bank_transfer-reference": "plain",
        "set-bank_transfer-account": "DE00370400440532013000",
    }  # fmt: skip
    told = browser.post("/payment-methods/new", wrong, headers=RUSSIAN).content.decode()
    assert "контрольные цифры не сходятся" in told
    assert "не указано: чей это счёт" in told


def test_what_only_the_chosen_plugin_needs_is_not_called_optional(signed_in: SignedIn) -> None:
    shown = page(signed_in(), "/payment-methods/new")
    labels = re.findall(r'<label for="[^"]*-bank_transfer-(\w+)">(.*?)</label>', shown)
    optional = {name for name, label in labels if "optional" in label}
    assert optional == {"bic", "bank", "currencies", "layout"}


def test_a_country_is_named_on_a_page_and_stays_a_code_in_a_file(signed_in: SignedIn) -> None:
    client = House().account().client
    client.country = "DE"
    client.save()
    browser = signed_in(Role.VIEWER)
    for path in ("/clients", f"/clients/{client.pk}"):
        assert ">Germany<" in page(browser, path)
        assert ">Германия<" in page(browser, path, **RUSSIAN)
    file = async_to_sync(whole)(browser.get("/clients/csv", headers=RUSSIAN))
    assert b",DE," in file


@pytest.mark.parametrize("form", KEPT)
def test_what_the_books_keep_has_its_russian(form: str) -> None:
    text = re.sub(r"%\(\w+\)[ds]", "9", form)
    with translation.override("ru"):
        assert re.search("[а-я]{2}", kept.read(text)), text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("it needed 4.90 EUR on 2026-11-05", "it needed 4,90 € on 5 ноя 2026"),
        ("500 JPY, 4.905 EUR, 1 XYZ, 2026-13-01", "500 ¥, 4.905 EUR, 1 XYZ, 2026-13-01"),
        ("after 3 tries: panel: no connection", "после попыток (3): panel: нет связи"),
    ],
)
def test_amounts_and_dates_in_a_kept_sentence_are_written_as_its_reader_does(
    text: str, said: str
) -> None:
    with translation.override("ru"):
        assert kept.read(text).replace("\xa0", " ") == said


def test_each_kind_of_a_ledger_account_says_whose_money_it_is() -> None:
    for kind in Kind:
        account = LedgerAccount(kind=kind, owner="acme/hosting", currency="EUR")
        plain = ledger_words.said(account) == "acme/hosting"
        assert plain == (kind == Kind.FUNDS)


def test_every_reason_of_a_decline_is_said_in_words() -> None:
    for reason in DeclineClass:
        assert "_" not in payment_words.declined(Payment(decline=reason))
        assert "_" not in payment_words.failed(StoredMethod(last_error=f"{reason} no"))
