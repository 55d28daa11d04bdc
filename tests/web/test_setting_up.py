"""A company set up through the screens: from nothing to a service that renews, and what is kept."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django import forms
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from billclock import clock
from billclock.accounts.models import AuditRow, Role
from billclock.billing import clients, configuration, price_lists
from billclock.billing.catalog import Discount, Module, Price, PromoCode
from billclock.billing.configuration import Field
from billclock.billing.daily.run import Plan, bill
from billclock.billing.price_lists import Figures, Place
from billclock.billing.processing import offered
from billclock.billing.processing.manual import Manual
from billclock.billing.provider import Company, Provider, TaxRate
from billclock.billing.services import Service, Status
from billclock.web import sections
from tests.billing.company import TODAY, House, balance
from tests.web.conftest import proven

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])
SignedIn = Callable[..., Client]
TOMORROW = TODAY + timedelta(days=1)
EVIL = "<script>alert(1)</script>\u202e"
OURS = ("providers", "companies", "departments", "tax-rates", "modules", "product-types",
        "products", "prices", "addons", "discounts", "promo-codes")  # fmt: skip


@pytest.fixture(autouse=True)
def noon():
    with clock.at(datetime(TODAY.year, TODAY.month, TODAY.day, 12, tzinfo=UTC)):
        yield


@pytest.fixture
def browser(signed_in: SignedIn) -> Client:
    """A root user who has just shown who he is."""
    return proven(signed_in())


def made(browser: Client, section: str, **typed: Any) -> str:
    """Send a section's form for a new row as its empty page shows it; give the new row's key."""
    form = browser.get(f"/{section}/new").context["form"]
    begun = {name: form.begun(name) for name in form.fields}
    known = {name: text for name, text in begun.items() if text not in ("", "False")}
    for name, field in form.fields.items():
        if type(field) in (forms.ChoiceField, forms.TypedChoiceField):
            known.setdefault(name, field.choices[0][0])  # as a browser does
    answer = browser.post(f"/{section}/new", {**known, **typed})
    assert answer.status_code == 302, answer.context["form"].errors
    return answer.headers["Location"].rpartition("/")[2]


def errors(answer: Any) -> list[str]:
    assert answer.status_code == 422
    return sorted(answer.context["form"].errors)


def founded(browser: Client) -> dict[str, str]:
    """Set up the shortest way: who sells, what, for how much."""
    provider = made(browser, "providers", code="north", name="North Hosting", currency="EUR")
    company = made(browser, "companies", provider=provider, code="north-gmbh", name="North GmbH",
                   country="DE", iban="DE02 1203 0000 0000 2020 51")  # fmt: skip
    made(browser, "tax-rates", area="DE", ppm="19", valid_from="2026-01-01", name="VAT")
    kind = made(browser, "product-types", code="web", name="Web hosting")
    product = made(browser, "products", code="web-s", name="Web S", type=kind, provider=provider,
                   company=company)  # fmt: skip
    made(browser, "prices", product=product, currency="EUR", months="1", amount_minor="4.90")
    return {"provider": provider, "company": company, "type": kind, "product": product}


def test_from_nothing_to_a_service_that_renews(browser: Client) -> None:
    keys = founded(browser)
    assert Company.objects.get().bank == {"iban": "DE02120300000000202051"}
    ada = clients.Client.objects.get(
        pk=made(browser, "clients", number="C1", name="Ada", country="DE")
    )
    account = made(browser, "client-accounts", client=ada.number, company=keys["company"],
                   currency="EUR", kind="2", limit="20")  # fmt: skip
    held = clients.Account.objects.get(pk=account)
    wish = {"account": held.number, "product": keys["product"], "months": "1",
            "auto_renew": "on", "asked": "yes"}  # fmt: skip
    asked = browser.post("/services/order", wish)
    seen = re.search(r'name="seen" value="([^"]+)"', asked.content.decode())
    assert seen
    browser.post("/services/order", {**wish, "seen": seen[1]})
    service = Service.objects.get()
    assert balance(held) == -5_83
    assert service.status == Status.ACTIVE
    end = service.paid_until
    with clock.at(datetime(end.year, end.month, end.day, 1, tzinfo=UTC)):
        bill(Provider.objects.get(), end, Plan())
    service.refresh_from_db()
    assert service.paid_until > end
    assert balance(held) == -2 * 5_83
    assert AuditRow.objects.filter(act="prices.create").exists()


def test_what_was_typed_wrongly_is_said_at_its_field(browser: Client) -> None:
    keys = founded(browser)
    page = "/providers/new"
    typed = {"code": "n", "name": "N", "currency": "EUR", "zone": "Mars/Base", "language": "en",
             "low_money_days": "ten", "expiry_days": "3", "grace_days": "3", "holidays": "12-45",
             "most_days_forward": "7", "most_suspended_ppm": "101", "most_priced_ppm": "x",
             }  # fmt: skip
    assert errors(browser.post(page, typed)) == ["low_money_days", "most_priced_ppm"]
    typed |= {"low_money_days": "10 5", "most_priced_ppm": "50"}
    assert errors(browser.post(page, typed)) == ["holidays", "most_suspended_ppm", "zone"]
    rate = {"area": "DE", "ppm": "19.00001", "valid_from": TOMORROW}
    assert errors(browser.post("/tax-rates/new", rate)) == ["ppm"]
    again = {"area": "DE", "ppm": "20", "valid_from": "2026-01-01"}
    assert errors(browser.post("/tax-rates/new", again)) == ["__all__"]
    price = {"product": keys["product"], "currency": "EUR", "months": "1",
             "amount_minor": "490", "valid_from": TOMORROW}  # fmt: skip
    assert errors(browser.post("/prices/new", price)) == ["meant"]
    price |= {"amount_minor": "4.905"}
    assert errors(browser.post("/prices/new", price)) == ["amount_minor"]
    assert Price.objects.count() == 1


def test_a_share_is_typed_in_percent_and_shown_so(browser: Client) -> None:
    made(browser, "tax-rates", area="CH", ppm="8.1 %", valid_from="2026-01-01")
    assert TaxRate.objects.get().ppm == 81_000
    assert "8.1\u00a0%" in browser.get("/tax-rates").content.decode()
    browser.defaults["HTTP_ACCEPT_LANGUAGE"] = "ru"
    made(browser, "tax-rates", area="SI", ppm="9,5", valid_from="2026-01-01")
    assert "9,5\u00a0%" in browser.get("/tax-rates").content.decode()


def test_a_products_page_shows_its_prices_apart_by_time(browser: Client) -> None:
    house = House()
    product = house.products["monthly"]
    price_lists.set_price(Place(product, "EUR", 1), Figures(12_00), valid_from=TOMORROW)
    house.price(product, 8_00, 3, since=date(2000, 1, 1))
    page = browser.get(f"/products/{product.pk}")
    shown = next(one for one in page.context["panels"] if one["panel"].name == "prices")
    assert [(mark.kind, len(lines)) for mark, lines in shown["times"]] == [
        ("ok", 3), ("warn", 1), ("off", 1)
    ]  # fmt: skip
    text = page.content.decode()
    assert f'href="/prices/new?product={product.pk}"' in text
    form = browser.get(f"/prices/new?product={product.pk}").content.decode()
    assert f'<option value="{product.pk}" selected' in form


def test_an_increase_waits_for_services_there_are(browser: Client) -> None:
    keys = founded(browser)
    later = TODAY + timedelta(days=90)
    made(browser, "prices", product=keys["product"], currency="EUR", months="1",
         amount_minor="5.90", valid_from=TODAY + timedelta(days=1),
         valid_from_existing=later)  # fmt: skip
    row = Price.objects.latest("pk")
    assert (row.valid_from, row.valid_from_existing) == (TOMORROW, later)
    browser.post("/prices/act", {"one": f"take-back:{row.pk}", "confirmed": "yes"})
    assert Price.objects.count() == 1


def asked(browser: Client, pages: list[str]) -> list[int]:
    """Count the queries of pages that were shown once before."""
    counts = []
    for page in pages:
        browser.get(page)
        with CaptureQueriesContext(connection) as found:
            assert browser.get(page).status_code == 200
        counts.append(len(found))
    return counts


def grow(other: House, house: House) -> None:
    """Let both houses have more of everything."""
    product = house.products["monthly"]
    for kind in range(3):
        house.addon(product, code=f"more-{kind}")
        Discount.objects.create(name="x", account=house.account(), ppm=1, valid_from=TODAY)
        PromoCode.objects.create(provider=other.provider, code=f"{kind}", ppm=1, valid_from=TODAY)
    for kind in range(3):
        house.price(product, 10_00 + kind, 1, since=TODAY + timedelta(days=kind + 1))


def test_a_product_of_many_prices_has_a_fixed_number_of_queries(browser: Client) -> None:
    house = House()
    addon = house.addon(house.products["monthly"])
    house.service(house.account())
    Discount.objects.create(name="x", account=house.account(), ppm=1, valid_from=TODAY)
    PromoCode.objects.create(provider=house.provider, code="a", ppm=1, valid_from=TODAY)
    product, tax = house.products["monthly"], TaxRate.objects.get()
    pages = [*(f"/{name}" for name in OURS), f"/products/{product.pk}", f"/addons/{addon.pk}",
             f"/providers/{house.provider.pk}", f"/tax-rates/{tax.pk}"]  # fmt: skip
    before = asked(browser, pages)
    grow(House(code="other"), house)
    assert asked(browser, pages) == before


def test_a_secret_of_a_module_is_never_shown_again(
    browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Panel(Manual):
        name = "panel"
        fields = (Field("url", "where it is", configuration.Kind.ADDRESS),
                  Field("key", "what opens it", configuration.Kind.SECRET))  # fmt: skip

    known = {"manual": Manual, "panel": Panel}
    monkeypatch.setattr(offered, "kinds", lambda: known)
    monkeypatch.setattr("billclock.web.catalog_modules.ModuleForm.kinds", lambda: known)
    typed = {"plugin": "panel", "code": "p1", "active": "on", "set-panel-url": "nowhere",
             "set-panel-key": "s3cret"}  # fmt: skip
    answer = browser.post("/modules/new", typed)
    assert errors(answer) == ["set-panel-url"]
    assert "s3cret" not in answer.content.decode()
    typed["set-panel-url"] = "https://panel.example/"
    assert browser.post("/modules/new", typed).status_code == 302
    row = Module.objects.get()
    assert row.settings == {"url": "https://panel.example/", "key": "s3cret"}
    for page in ("/modules", f"/modules/{row.pk}", f"/modules/{row.pk}/edit", "/modules.csv"):
        assert "s3cret" not in browser.get(page).content.decode()
    changed = {**typed, "set-panel-key": "", "set-panel-url": "https://other.example/"}
    del changed["plugin"]
    answer = browser.post(f"/modules/{row.pk}/edit", changed)
    assert answer.status_code == 302, answer.context["form"].errors
    row.refresh_from_db()
    assert row.settings == {"url": "https://other.example/", "key": "s3cret"}
    assert not AuditRow.objects.filter(after__contains="s3cret").exists()


def test_a_discount_names_its_account_by_number(browser: Client) -> None:
    account = House().account()
    typed = {"name": "Friend", "ppm": "10", "account": "nobody", "valid_from": TODAY}
    assert errors(browser.post("/discounts/new", typed)) == ["account"]
    key = made(browser, "discounts", **{**typed, "account": account.number})
    assert Discount.objects.get().ppm == 100_000
    assert account.number in browser.get(f"/discounts/{key}").content.decode()
    form = browser.get(f"/discounts/{key}/edit").context["form"]
    ended = {"name": "Friend", "valid_until": TOMORROW, "seen": form.stamp}
    answer = browser.post(f"/discounts/{key}/edit", ended)
    assert answer.status_code == 302, answer.context["form"].errors
    assert Discount.objects.get().valid_until == TOMORROW


def test_rows_are_changed_as_their_forms_show_them(browser: Client) -> None:
    house = House()
    house.addon(house.products["monthly"], choices=[1, 2], most=4)
    made(browser, "promo-codes", provider=house.provider.pk, code="SPRING", ppm="50")
    for name in OURS:
        section = next(one for one in sections.all_sections() if one.name == name)
        row = section.rows().first()
        if section.change is None or row is None:
            continue
        form = browser.get(f"/{name}/{row.pk}/edit").context["form"]
        typed = {field: form.begun(field) for field in form.fields}
        sent = {field: text for field, text in typed.items() if text not in ("", "False")}
        if "choices" in sent:
            sent["choices"] = "1 2"
        for field in ("low_money_days", "expiry_days"):
            sent |= {field: "5 3"} if field in sent else {}
        answer = browser.post(f"/{name}/{row.pk}/edit", {**sent, "seen": form.stamp})
        assert answer.status_code == 302, (name, answer.context["form"].errors)


def test_hostile_names_do_nothing_but_stand_there(browser: Client) -> None:
    provider = made(browser, "providers", code="evil", name=EVIL, currency="EUR")
    made(browser, "departments", provider=provider, name=EVIL)
    for page in ("/providers", f"/providers/{provider}", "/departments", "/companies/new"):
        text = browser.get(page).content.decode()
        assert "<script>alert" not in text
        assert "\u202e" not in text
    for wrong in ("/prices/new?product=x", "/prices/new?product=99999999999999999999",
                  "/modules/new?plugin=x", "/addons/new?product=-1"):  # fmt: skip
        assert browser.get(wrong).status_code == 200


def test_who_may_only_look_makes_nothing(signed_in: SignedIn) -> None:
    house = House()
    viewer = signed_in(Role.VIEWER)
    page = viewer.get(f"/products/{house.products['monthly'].pk}").content.decode()
    assert "/prices/new" not in page
    assert viewer.post("/prices/new", {}).status_code == 403
