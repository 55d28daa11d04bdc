"""The permission matrix: every address and every function, and who gets in; a new one needs a row.

A row says the lowest role that gets in (OPEN: anybody), and whether the thing belongs to a table
(then it is shut to the root user of another table) or is shared by all tables (then only who has
all of them open may change it).
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import NamedTuple

import pytest
from django.conf import LazySettings
from django.http import HttpResponse
from django.test import Client

from billclock import clock
from billclock.accounts.models import Role, User
from billclock.api.documents import Kind
from billclock.api.registry import RIGHTS, Actor, all_functions, call, find
from billclock.api.rest import api
from tests.api.asking import as_it_was, patterns
from tests.api.conftest import World

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])

OPEN = None
VIEWER, OPERATOR, ROOT = Role.VIEWER, Role.OPERATOR, Role.ROOT
STRANGER = "root of another table"
WHO = [None, VIEWER, OPERATOR, ROOT, STRANGER]


class Row(NamedTuple):
    """The lowest role; whether `bound` to a table, or of the `whole`; sent by `method` with `data`.

    Each page is asked for root's table and its entry as well.
    """

    role: Role | None
    bound: bool = False
    whole: bool = False
    method: str = "get"
    data: Mapping[str, str] = MappingProxyType({})


def sent(role: Role | None, *, bound: bool = False, whole: bool = False, **data: str) -> Row:
    """Give the row of a form that is sent."""
    return Row(role, bound, whole, "post", data)


def of_section(name: str, *, act: str, whole: bool = True) -> dict[str, Row]:
    """Give the rows of a section of the back office; `whole` for one shut to other tables."""
    look = Row(VIEWER, whole=whole)
    return {
        name: look,
        f"{name}_csv": look,
        f"{name}_one": look,
        f"{name}_like": look._replace(method="post", data={"do": "columns"}),
        f"{name}_new": Row(ROOT, whole=True),
        f"{name}_new, sent": sent(ROOT, whole=True),
        f"{name}_edit": Row(ROOT, whole=True),
        f"{name}_edit, sent": sent(ROOT, whole=True),
        f"{name}_act": sent(ROOT, whole=True, act=act),
    }


PAGES = {
    "jobs": Row(VIEWER, bound=True),
    "jobs_act": sent(ROOT, bound=True, act="disable"),
    "jobs_like": sent(VIEWER, what="columns"),
    "jobs_export": Row(VIEWER, bound=True),
    "jobs_billing_set": sent(ROOT, bound=True),
    "dashboard": Row(VIEWER),
    "runs": Row(VIEWER),
    "runs_csv": Row(VIEWER),
    "runs_json": Row(VIEWER),
    "run": Row(VIEWER, bound=True),
    "run_output": Row(VIEWER, bound=True),
    "run_lines": Row(VIEWER, bound=True),
    "run_stream": Row(VIEWER, bound=True),
    "run_again": sent(OPERATOR, bound=True),
    "run_stop": sent(OPERATOR, bound=True),
    "run_now": sent(OPERATOR, bound=True),
    "entry_new": Row(VIEWER, bound=True),
    "entry_new, sent": sent(ROOT, bound=True, do="save"),
    "entry_edit": Row(VIEWER, bound=True),
    "entry_edit, sent": sent(ROOT, bound=True, do="save"),
    "entry_clone": Row(VIEWER, bound=True),
    "entry_preview": sent(ROOT, bound=True),
    "timeline": Row(VIEWER, bound=True),
    "timeline_ical": Row(VIEWER, bound=True),
    "problems": Row(VIEWER),
    "problems_count": Row(VIEWER),
    "problems_run": sent(OPERATOR, bound=True),
    "problems_fix": sent(ROOT),
    "problems_clock": sent(OPERATOR, whole=True),
    "problems_mail": sent(OPERATOR),
    "problems_aside": sent(OPERATOR, **{"for": "hour"}),
    "problems_wake": sent(OPERATOR),
    "problems_catch_up": sent(ROOT, bound=True),
    "problems_switch_on": sent(ROOT, bound=True),
    "settings": Row(VIEWER, bound=True),
    "settings, sent": sent(ROOT, bound=True),
    "settings_trial": sent(ROOT, bound=True),
    "settings_webhook": sent(ROOT, bound=True, when="always"),
    "settings_heartbeat": sent(ROOT, whole=True, table="sam", url="https://example.org/b"),
    "settings_server": sent(ROOT, whole=True, table="sam"),
    "settings_pause": sent(OPERATOR, whole=True, table="sam"),
    "crontab": Row(VIEWER, bound=True),
    "crontab_edit": Row(VIEWER, bound=True),
    "crontab_edit, sent": sent(ROOT, bound=True, do="install"),
    "crontab_mend": sent(ROOT, bound=True),
    "crontab_export": Row(VIEWER, bound=True),
    "crontab_import": Row(ROOT, bound=True),
    "crontab_import, sent": sent(ROOT, bound=True, do="install"),
    "versions": Row(VIEWER, bound=True),
    "version": Row(VIEWER, bound=True),
    "version_restore": sent(ROOT, bound=True),
    "version_undo": sent(ROOT, bound=True),
    "document": Row(VIEWER, whole=True),
    "payment_notice": Row(OPEN),
    "engine_start": sent(OPERATOR, whole=True),
    "setup": Row(OPEN),
    "account_login": Row(OPEN),
    "mfa_authenticate": Row(OPEN),
    "mfa_login_webauthn": Row(OPEN),
    "account_logout": Row(VIEWER),
    "account_inactive": Row(OPEN),
    "account_reset_password": Row(OPEN),
    "account_forgotten_sent": Row(OPEN),
    "choose_password": Row(OPEN),
    "account": Row(VIEWER),
    "account_reauthenticate": Row(VIEWER),
    "account_resume": Row(VIEWER),
    "session_end": sent(VIEWER),
    "account_change_password": Row(VIEWER),
    "account_set_password": Row(VIEWER),
    "mfa_index": Row(VIEWER),
    "mfa_activate_totp": Row(VIEWER),
    "mfa_deactivate_totp": Row(VIEWER),
    "mfa_view_recovery_codes": Row(VIEWER),
    "mfa_generate_recovery_codes": Row(VIEWER),
    "mfa_list_webauthn": Row(VIEWER),
    "mfa_add_webauthn": Row(VIEWER),
    "mfa_edit_webauthn": Row(VIEWER),
    "mfa_remove_webauthn": Row(VIEWER),
    "users": Row(ROOT, whole=True),
    "user_invite": Row(ROOT, whole=True),
    "user_invite, sent": sent(ROOT, whole=True),
    "user": Row(ROOT, whole=True),
    "user, sent": sent(ROOT, whole=True),
    "user_shut_out": sent(ROOT, whole=True),
    "user_let_in": sent(ROOT, whole=True),
    "user_link": sent(ROOT, whole=True),
    "user_factors": sent(ROOT, whole=True),
    "audit": Row(ROOT),
    "audit_csv": Row(ROOT),
    "audit_row": Row(ROOT, bound=True),
    "go": Row(VIEWER),
    "go_choices": Row(VIEWER),
    "unsubscribe": Row(OPEN),
    **of_section("clients", act="close"),
    **of_section("client-accounts", act="write"),
    "client-accounts_pay": Row(ROOT, whole=True),
    "client-accounts_pay, sent": sent(ROOT, whole=True),
    "client-accounts_credit": Row(ROOT, whole=True),
    "client-accounts_by_hand": Row(ROOT, whole=True),
    "client-accounts_by_hand, sent": sent(ROOT, whole=True),
    "client-accounts_choices": Row(VIEWER, whole=True),
    "clients_choices": Row(VIEWER, whole=True),
    "client-accounts_statement": Row(VIEWER, whole=True),
    "client-accounts_statement_csv": Row(VIEWER, whole=True),
    **of_section("client-groups", act="delete"),
    **of_section("contacts", act="remove"),
    **of_section("payers", act="confirm"),
    **of_section("invoices", act="issue"),
    "invoices_draft": Row(ROOT, whole=True),
    "invoices_draft, sent": sent(ROOT, whole=True),
    "invoices_credit": Row(ROOT, whole=True),
    "invoices_credit, sent": sent(ROOT, whole=True),
    **of_section("charges", act="none"),
    **of_section("hand-entries", act="back"),
    **of_section("payments", act="cancel"),
    "payments_refund": Row(ROOT, whole=True),
    "payments_refund, sent": sent(ROOT, whole=True),
    **of_section("bank-entries", act="aside"),
    "bank-entries_upload": Row(ROOT, whole=True),
    "bank-entries_upload, sent": sent(ROOT, whole=True),
    **of_section("payment-methods", act="none"),
    **of_section("stored-methods", act="forget"),
    **of_section("letters", act="again"),
    "letters_page": Row(VIEWER, whole=True),
    **of_section("letter-templates", act="remove"),
    "letter-templates_page": Row(VIEWER, whole=True),
    "letter-templates_preview": sent(ROOT, whole=True),
    **of_section("currencies", act="use", whole=False),
    **of_section("rate-pairs", act="upload", whole=False),
    **of_section("rates", act="none", whole=False),
    **of_section("billing-runs", act="allow"),
    "billing-runs_preview": sent(OPERATOR, whole=True),
    **of_section("parked", act="release"),
    **of_section("services", act="suspend"),
    **{
        row: sent(ROOT, whole=True) if row.endswith(", sent") else Row(ROOT, whole=True)
        for name in ("order", "change", "renew", "close")
        for row in (f"services_{name}", f"services_{name}, sent")
    },
    **of_section("tasks", act="done"),
    **of_section("providers", act="none"),
    **of_section("companies", act="none"),
    **of_section("departments", act="none"),
    **of_section("tax-rates", act="take-back"),
    **of_section("modules", act="none"),
    **of_section("product-types", act="none"),
    **of_section("products", act="sell"),
    **of_section("prices", act="take-back"),
    **of_section("addons", act="none"),
    **of_section("discounts", act="take-back"),
    **of_section("promo-codes", act="none"),
    "theme": sent(OPEN),
    "set_language": sent(OPEN),
    "healthz": Row(OPEN),
    "metrics": Row(OPEN),
    "billmgr": Row(VIEWER),
    "keys": Row(VIEWER),
    "keys, sent": sent(VIEWER),
    "key_revoke": sent(VIEWER),
    "api_reference": Row(VIEWER),
    "api:api-root": Row(VIEWER),
    "api:openapi-json": Row(VIEWER),
}

OPERATIONS = {
    "GET /tables": Row(VIEWER),
    "GET /settings": Row(VIEWER, bound=True),
    "PATCH /settings": Row(ROOT, bound=True),
    "GET /check": Row(VIEWER, bound=True),
    "POST /check": Row(VIEWER),
    "GET /versions": Row(VIEWER, bound=True),
    "GET /versions/{number}": Row(VIEWER, bound=True),
    "POST /versions/{number}/restore": Row(ROOT, bound=True),
    "POST /versions/{number}/undo": Row(ROOT, bound=True),
    "GET /entries": Row(VIEWER, bound=True),
    "POST /entries": Row(ROOT, bound=True),
    "GET /entries/{key}": Row(VIEWER, bound=True),
    "PATCH /entries/{key}": Row(ROOT, bound=True),
    "DELETE /entries/{key}": Row(ROOT, bound=True),
    "POST /entries/{key}/enable": Row(ROOT, bound=True),
    "POST /entries/{key}/disable": Row(ROOT, bound=True),
    "POST /entries/{key}/run": Row(OPERATOR, bound=True),
    "GET /next": Row(VIEWER),
    "GET /runs": Row(VIEWER),
    "GET /runs/{key}": Row(VIEWER, bound=True),
    "GET /runs/{key}/output": Row(VIEWER, bound=True),
    "POST /runs/{key}/stop": Row(OPERATOR, bound=True),
    "GET /pauses": Row(VIEWER),
    "POST /pauses": Row(OPERATOR, whole=True),
    "DELETE /pauses": Row(OPERATOR, whole=True),
    "GET /currencies": Row(VIEWER),
    "GET /rates": Row(VIEWER),
    "POST /rates": Row(ROOT, whole=True),
}

FUNCTIONS = {
    "crontask": Row(ROOT, whole=True),
    "collect_usageinfo": Row(ROOT, whole=True),
    "currency": Row(VIEWER),
    "currencyrate": Row(VIEWER),
    "currencyrate.enter": Row(ROOT, whole=True),
    "currencyrate.upload": Row(ROOT, whole=True),
    "money": Row(VIEWER, whole=True),
    "money.enter": Row(ROOT, whole=True),
    "money.reverse": Row(ROOT, whole=True),
    "google.analytics.export": Row(ROOT, whole=True),
    "pauses": Row(VIEWER),
    "pauses.begin": Row(OPERATOR, whole=True),
    "pauses.end": Row(OPERATOR, whole=True),
    "processing.checkbalance": Row(ROOT, whole=True),
    "processing.getconfig": Row(ROOT, whole=True),
    "processing.syncserver.cron": Row(ROOT, whole=True),
    "run": Row(OPERATOR, bound=True),
    "runs": Row(VIEWER),
    "runs.output": Row(VIEWER, bound=True),
    "runs.show": Row(VIEWER, bound=True),
    "runs.stop": Row(OPERATOR, bound=True),
    "scheduler": Row(VIEWER, bound=True),
    "scheduler.check": Row(VIEWER, bound=True),
    "scheduler.delete": Row(ROOT, bound=True),
    "scheduler.edit": Row(ROOT, bound=True),
    "scheduler.next": Row(VIEWER),
    "scheduler.prop": Row(ROOT, bound=True),
    "scheduler.resume": Row(ROOT, bound=True),
    "scheduler.suspend": Row(ROOT, bound=True),
    "session.newkey": Row(ROOT, whole=True),
    "tables": Row(VIEWER),
    "usage.enter": Row(OPERATOR, whole=True),
    "versions": Row(VIEWER, bound=True),
    "versions.restore": Row(ROOT, bound=True),
    "versions.show": Row(VIEWER, bound=True),
    "versions.undo": Row(ROOT, bound=True),
}


def operations() -> Iterator[str]:
    for path, methods in api.get_openapi_schema()["paths"].items():
        yield from (f"{method.upper()} {path.removeprefix('/api/v1')}" for method in methods)


ADDRESSES = {
    name: path
    for name, path in patterns()
    if not name.startswith("api:") or name in ("api:api-root", "api:openapi-json")
}


def test_every_address_operation_and_function_has_its_row() -> None:
    told = {plain(name) for name in PAGES}
    assert ADDRESSES.keys() - told == set(), "give PAGES a row for each address"
    assert told - ADDRESSES.keys() == set(), "these addresses are gone"
    assert set(operations()) == OPERATIONS.keys(), "give OPERATIONS a row for each operation"
    names = {function.name for function in all_functions()}
    assert names == FUNCTIONS.keys(), "give FUNCTIONS a row for each function"


def plain(name: str) -> str:
    """Give the name of an address that has two rows, one to look at it and one to send its form."""
    return name.removesuffix(", sent")


def gets_in(row: Row, who: Role | str | None) -> bool:
    if row.role is OPEN:
        return True
    if who is None:
        return False
    if who is STRANGER:
        return not (row.bound or row.whole)
    return RIGHTS[Role(who)] >= RIGHTS[row.role]


def actor(who: Role | str, user: Callable[..., User]) -> User:
    return user(Role.ROOT, "sam") if who is STRANGER else user(who)


@pytest.mark.parametrize("name", PAGES)
def test_pages_let_in_whom_their_row_says(
    name: str, world: World, user: Callable[..., User], settings: LazySettings
) -> None:
    row, wrong = PAGES[name], {}
    for who in sorted(WHO, key=lambda who: gets_in(row, who)):  # the first ones change nothing
        with as_it_was(settings.SPOOL):
            client = Client()
            if who is not None:
                client.force_login(actor(who, user))
            answer = asked(client, name, world)
            if not is_right(row, who, answer):
                wrong[str(who)] = answer.status_code, answer.headers.get("Location")
    assert wrong == {}


def is_right(row: Row, who: Role | str | None, answer: HttpResponse) -> bool:
    """Tell whether an answer lets in whom it should, or keeps out whom it should."""
    status, to = answer.status_code, answer.headers.get("Location", "")
    if gets_in(row, who):
        return (
            status not in (401, 403)
            and not to.startswith("/sign-in?")
            and (status != 404 or not row.bound)
        )
    if who is None:
        return status in (401, 404) or to.startswith("/sign-in")
    return status in (403, 404)


SAVES_NOTHING = {"entry_preview"}
CHANGING = [
    name
    for name, row in PAGES.items()
    if row.role is ROOT and row.method == "post" and name not in SAVES_NOTHING
]


@pytest.mark.parametrize("name", CHANGING)
def test_who_was_idle_shows_who_he_is_before_he_changes_anything(
    name: str, world: World, user: Callable[..., User]
) -> None:
    client = Client()
    client.force_login(user(ROOT))
    with clock.at(clock.now() + timedelta(minutes=16)):
        answer = asked(client, name, world)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/account/confirm?")


def asked(client: Client, name: str, world: World):
    """Ask for a page, of root's table and entry."""
    row = PAGES[name]
    about = {"table": "root", "entry": str(world.entry.pk), **row.data}
    return getattr(client, row.method)(filled(ADDRESSES[plain(name)], world), about)


def filled(path: str, world: World) -> str:
    """Put what belongs to root's table into the places of an address."""
    facts = {"run": world.run.pk, "entry": world.entry.pk, "table": "root", "number": 2}
    facts |= {"user": world.person.pk, "row": world.noted.pk}

    def fact(found: re.Match[str]) -> str:
        return str(facts.get(found[1], 1))

    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", fact, path)


BODIES = {
    "PATCH /settings": {"mailto": "ops@example.org"},
    "POST /check": {"text": "* * * * * /bin/true"},
    "POST /entries": {"expression": "0 5 * * *", "command": "/bin/true"},
    "PATCH /entries/{key}": {"description": "Copy"},
    "POST /pauses": {"tag": "nightly"},
    "POST /rates": {"pair": "USD/EUR", "value": "0.9"},
}
QUERIES = {
    "GET /next": {"expression": "0 5 * * *"},
    "GET /rates": {"pair": "USD/EUR"},
}


@pytest.mark.parametrize("who", WHO, ids=str)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_operations_let_in_whom_their_row_says(
    operation: str, who: Role | str | None, world: World, user: Callable[..., User]
) -> None:
    client = Client()
    if who is not None:
        client.force_login(actor(who, user))
    method, _, path = operation.partition(" ")
    key = world.run.pk if path.startswith("/runs") else world.entry.pk
    answer = client.generic(
        method,
        f"/api/v1{path.format(key=key, number=2)}",
        json.dumps(BODIES.get(operation, {})),
        "application/json",
        query_params=QUERIES.get(operation, {}),
    )
    if gets_in(OPERATIONS[operation], who):
        assert answer.status_code in (200, 201, 202, 204, 503)  # 503: there is no daemon
    elif who is None:
        assert answer.status_code == 401
    else:
        assert answer.status_code in (403, 404)


GIVEN = {"plid": "USD/EUR", "expression": "0 5 * * *", "number": "2", "tag": "nightly",
         "value": "0.9", "username": "ann@example.net", "key": "k" * 20,
         "action": "collect_usageinfo", "service": "S1", "addon": "disk",
         "amount": "5"}  # fmt: skip


CALLS = [
    (name, sok)
    for name in FUNCTIONS
    for sok in ("", "ok", "yes", "ON")
    if not sok or ((known := find(name)) and "sok" in known.parameters)
]


@pytest.mark.parametrize("who", WHO[1:], ids=str)
@pytest.mark.parametrize(("name", "sok"), CALLS)
def test_functions_let_in_whom_their_row_says(
    name: str, sok: str, who: Role | str, world: World
) -> None:
    function = find(name)
    assert function is not None
    known = function.parameters
    params = {key: text for key, text in GIVEN.items() if key in known}
    if "elid" in known and name not in ("scheduler", "currencyrate.upload"):
        params["elid"] = str(world.run.pk if name.startswith("runs.") else world.entry.pk)
    if sok and "sok" in known:
        params["sok"] = sok
    row = FUNCTIONS[name]
    if function.kind is Kind.FORM and not sok and "sok" in known:
        row = row._replace(role=VIEWER, whole=False)
    tables = frozenset({"sam"}) if who is STRANGER else None
    role = ROOT if who is STRANGER else Role(who)
    fault = call(name, params, actor=Actor("ann@example.net", role, tables)).fault
    refused = fault is not None and fault.type in ("access", "missing")
    if gets_in(row, who):
        unknown_user = name == "session.newkey"
        assert not refused or unknown_user, fault
    else:
        assert fault is not None
        assert fault.type in ("access", "missing")
