"""What the books keep by codes and in English, said to people in their language."""

import re
from collections.abc import Callable

import pytest
from asgiref.sync import async_to_sync
from django.test import Client
from django.utils import translation

from billclock.accounts.models import Role
from billclock.billing.payment_methods import offered as methods
from billclock.billing.processing import offered as modules
from billclock.web import plugin_words
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
