"""Why an object is as it is on a date: what each job did for it or why nothing, and the records."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext as translated
from django.utils.translation import gettext_lazy as _

from billclock.billing import forecast, money_letters
from billclock.billing.charges import Reversal
from billclock.billing.clients import Account
from billclock.billing.concluding import (
    billed,
    closed,
    collected,
    ends,
    finances,
    months,
    records,
    setups,
    stops,
    switches,
)
from billclock.billing.explaining import Fact, explain_service
from billclock.billing.invoices import Invoice
from billclock.billing.notice_kinds import KINDS
from billclock.billing.payments import Payment, StoredMethod
from billclock.billing.postpaid.month import JOB as MONTHLY
from billclock.billing.services import Service
from billclock.jobs.clean_stalled_stored_methods import HOURS
from billclock.web import kept
from billclock.web import service_words as words
from billclock.web.kit.leading import way_to
from billclock.web.kit.panels import Panel

Told = tuple[Promise, str, str]
"""What a job is to the object, the job's name, and its sentence in English."""

SECTIONS = {
    "charge": "charges", "reversal": "charges", "notice": "letters", "hand entry": "hand-entries",
    "service": "services", "payment": "payments", "attempt": "payments", "document": "invoices",
}  # fmt: skip
PANELS = {"reversal": "charge", "notice": "", "hand entry": "", "reading": "", "usage round": "",
          "setup": ""}  # fmt: skip
MOST_ACCOUNTS = 3

STOPS = _("Stops and resumptions")
TAKEN = _("Money from stored methods")
FINANCES = _("Letters about finances")
MONTH = _("The month's invoice")


def panel(shown: Callable[[Any, date], Mapping[str, Any]], today: Callable[[Any], date]) -> Panel:
    """Give the panel of an object's page: a date, what was so on it, the facts that show it."""

    def context(row: Any, request: HttpRequest) -> Mapping[str, Any]:
        now = today(row)
        on = kept.day(request.GET.get("on", "")) or now
        day = timedelta(days=1)
        dates = {"on": on, "before": on - day, "after": on + day, "today": on == now}
        return {**dates, **shown(row, on)}

    return Panel("why", _("Why?"), template="why/panel.html", context=context)


def _of_service(row: Service, on: date) -> Mapping[str, Any]:
    explained = explain_service(row.number, on)
    said = kept.read(explained.conclusion)
    return {"conclusion": said, **_read(_service(row, on), explained.facts)}


def _service(row: Service, on: date) -> Iterator[Told]:
    yield STOPS, stops.JOB, stops.concluded(row.account, on, row)
    yield _("Letters about its end"), ends.JOB, ends.concluded(row, on)
    yield _("A letter about its renewal"), switches.JOB, switches.concluded(row, on)
    if row.stored_method_id is not None:
        yield TAKEN, collected.JOB, collected.concluded(row.account, on)


def _of_account(row: Account, on: date) -> Mapping[str, Any]:
    return _read(_account(row, on), records.of_account(row, on))


def _account(row: Account, on: date) -> Iterator[Told]:
    outlook = forecast.outlook(row, on) if on == row.provider.today() else None
    yield _("Charges and renewals"), billed.JOB, billed.concluded(row, on)
    yield TAKEN, collected.JOB, collected.concluded(row, on)
    yield STOPS, stops.JOB, stops.concluded(row, on)
    told = money_letters.concluded(row, on, outlook)
    yield _("Letters about money, top-ups"), money_letters.JOB, told
    yield FINANCES, finances.JOB, finances.concluded(row, on)
    yield MONTH, MONTHLY, months.concluded(row, on)


def _of_payment(row: Payment, on: date) -> Mapping[str, Any]:
    said = collected.concluded(row.account, on, row)
    return _read([(TAKEN, collected.JOB, said)], records.of_payment(row, on))


def _of_invoice(row: Invoice, on: date) -> Mapping[str, Any]:
    return _read(_invoice(row, on), records.of_invoice(row, on))


def _invoice(row: Invoice, on: date) -> Iterator[Told]:
    yield _("Closing"), closed.JOB, closed.concluded(row, on)
    yield MONTH, MONTHLY, months.concluded(row.account, on)
    yield FINANCES, finances.JOB, finances.concluded(row.account, on)


def _of_stored(row: StoredMethod, on: date) -> Mapping[str, Any]:
    return _read(_stored(row, on), records.of_stored(row, on))


def _stored(row: StoredMethod, on: date) -> Iterator[Told]:
    yield _("Setting up"), setups.JOB, setups.concluded(row.setup_key, on, HOURS)
    accounts = row.client.accounts.select_related("provider", "funds").order_by("number")
    for account in accounts[:MOST_ACCOUNTS]:
        yield TAKEN, account.number, collected.concluded(account, on)


def _read(told: Iterable[Told], facts: Iterable[Fact]) -> dict[str, Any]:
    return {
        "jobs": [(title, job, kept.read(said)) for title, job, said in told],
        "facts": [(*words.FACTS[one.kind], one, _said(one), _link(one)) for one in facts],
    }


def _said(fact: Fact) -> str:
    """Say a fact as its reader does; a letter by its title."""
    kind, _comma, fate = fact.text.partition(", ")
    if fact.kind == "notice" and kind in KINDS:
        return f"{translated(KINDS[kind].title)}: {kept.read(fate)}"
    return kept.read(fact.text)


def _link(fact: Fact) -> str:
    """Give where a fact is found: a page of its own, or the panel that shows it."""
    key = fact.key
    if fact.kind == "reversal":
        key = Reversal.objects.values_list("charge", flat=True).get(pk=fact.key)
    section = SECTIONS.get(fact.kind)
    if section is not None and (way := way_to(section, key)):
        return way
    name = PANELS.get(fact.kind, fact.kind)
    return f"#panel-{name}s" if name else ""


OF_SERVICE = panel(_of_service, lambda row: row.account.provider.today())
OF_ACCOUNT = panel(_of_account, lambda row: row.provider.today())
OF_PAYMENT = panel(_of_payment, lambda row: row.account.provider.today())
OF_INVOICE = panel(_of_invoice, lambda row: row.company.provider.today())
OF_STORED = panel(_of_stored, lambda row: row.method.provider.today())
