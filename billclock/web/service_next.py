"""What a service costs next, and when; why it is as it is on a date."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from billclock.billing import ledger, quoting
from billclock.billing.charges import Reversal
from billclock.billing.concluding import collected, ends, switches
from billclock.billing.errors import BillingError
from billclock.billing.explaining import Fact, explain_service
from billclock.billing.money import Money
from billclock.billing.renewals import RENEWABLE
from billclock.billing.services import Service
from billclock.web import kept
from billclock.web import service_words as words
from billclock.web.kit.faults import said

SECTIONS = {
    "charge": "charges", "reversal": "charges", "notice": "letters", "hand entry": "hand-entries",
}  # fmt: skip
PANELS = {"reversal": "charge", "notice": "", "hand entry": "", "reading": "", "usage round": ""}


def coming(row: Service, _request: HttpRequest) -> Mapping[str, Any] | None:
    """Say what the next period costs, and whether there is money for it; None for what is over."""
    if row.status not in RENEWABLE:
        return None
    on = max(row.paid_until, row.account.provider.today())
    try:
        charged = quoting.next_period(row, on)
    except BillingError as error:
        return {"fault": said(error)}
    need = sum(line.total_minor for line in charged)
    have = ledger.available(row.account.funds, credit_blocked=row.account.credit_blocked)
    return {
        "on": on,
        "end": max((line.end for line in charged), default=None),
        "priced": bool(charged),
        "renews": row.auto_renew,
        "need": shown(need, row),
        "tax": shown(sum(line.tax_minor for line in charged), row),
        "off": shown(off, row) if (off := sum(line.discount_minor for line in charged)) else "",
        "have": shown(have, row),
        "missing": shown(need - max(have, 0), row) if need > max(have, 0) else "",
    }


def shown(minor: int, row: Service) -> str:
    """Say an amount of a service's account."""
    return Money(minor, row.account.currency_id).shown(get_language() or "en")


def why(row: Service, request: HttpRequest) -> Mapping[str, Any]:
    """Explain the date that the address asks for, today if none: a sentence, and its facts."""
    today = row.account.provider.today()
    on = kept.day(request.GET.get("on", "")) or today
    explained = explain_service(row.number, on)
    return {
        "on": on,
        "today": on == today,
        "conclusion": kept.read(explained.conclusion),
        "facts": [
            (*words.FACTS[fact.kind], fact, kept.read(fact.text), _link(fact))
            for fact in explained.facts
        ],
        "others": [(title, kept.read(said)) for title, said in _others(row, on)],
    }


def _others(row: Service, on: date) -> Iterator[tuple[Promise, str]]:
    """Give what other jobs did to it on a date, or why nothing."""
    yield _("Letters about its end"), ends.concluded(row, on)
    yield _("A letter about its renewal"), switches.concluded(row, on)
    if row.stored_method_id is not None:
        yield _("Money from its stored method"), collected.concluded(row.account, on)


def _link(fact: Fact) -> str:
    """Give where a fact is found: its own page, or the panel that shows it."""
    key = fact.key
    if fact.kind == "reversal":
        key = Reversal.objects.values_list("charge", flat=True).get(pk=fact.key)
    section = SECTIONS.get(fact.kind)
    if section is not None:
        try:
            return reverse(f"{section}_one", args=[key])
        except NoReverseMatch:
            section = None
    panel = PANELS.get(fact.kind, fact.kind)
    return f"#panel-{panel}s" if panel else ""
