"""What an act on a service comes to, in words: charges to be, what comes back, who can pay it."""

from collections.abc import Iterable, Iterator

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from billclock.billing import ledger, quotes
from billclock.billing.catalog import AddOn
from billclock.billing.changing import Difference
from billclock.billing.charges import Charge, ChargeKind
from billclock.billing.clients import Account
from billclock.billing.money import Money
from billclock.web import service_words as words
from billclock.web.service_asking import Line
from billclock.web.service_columns import days
from billclock.web.visible import visible


def amount(minor: int, account: Account) -> str:
    """Say an amount of an account."""
    return Money(minor, account.currency_id).shown(get_language() or "en")


def to_be(lines: Iterable[quotes.Line], account: Account) -> Iterator[Line]:
    """Put charges that are to be into words."""
    wanted = list(lines)
    named = _addons(line.addon for line in wanted)
    for line in wanted:
        yield Line(
            _what(line.kind, line.addon, named), days(line.start, line.end),
            line.amount.total_minor, account.currency_id, line.amount.tax_minor,
            line.amount.discount_minor,
        )  # fmt: skip


def made(charges: Iterable[Charge], account: Account) -> Iterator[Line]:
    """Put charges as they are made into words."""
    found = list(charges)
    named = _addons(charge.addon for charge in found)
    for charge in found:
        yield Line(
            _what(charge.kind, charge.addon, named), days(charge.period_start, charge.period_end),
            charge.total_minor, account.currency_id, charge.tax_minor, charge.discount_minor,
        )  # fmt: skip


def back(found: Difference, account: Account) -> Iterator[Line]:
    """Put into words what comes back of the days that were paid and are not used."""
    kept = {(line.kind, line.addon, line.start): line.amount for line in found.kept}
    named = _addons(charge.addon for charge in found.taken.charges)
    for charge in found.taken.charges:
        used = kept.get((ChargeKind(charge.kind), charge.addon, charge.period_start))
        total = charge.total_minor - (used.total_minor if used else 0)
        tax = charge.tax_minor - (used.tax_minor if used else 0)
        off = charge.discount_minor - (used.discount_minor if used else 0)
        if total:
            start = max(charge.period_start, found.taken.since)
            what = _("back: %s") % _what(charge.kind, charge.addon, named)
            yield Line(
                what, days(start, charge.period_end), -total, account.currency_id, -tax, -off
            )


def sentence(need: int, account: Account) -> str:
    """Say what is to be paid, or comes back."""
    if need > 0:
        return _("%s to pay now") % amount(need, account)
    if need < 0:
        return _("%s come back") % amount(-need, account)
    return _("Nothing to pay")


def purse(need: int, account: Account) -> tuple[str, str]:
    """Say what an account has to spend, and why that stops something, if it does."""
    have = ledger.available(account.funds, credit_blocked=account.credit_blocked)
    said = _("Account %(number)s has %(have)s to spend.") % {
        "number": visible(account.number), "have": amount(have, account)}  # fmt: skip
    short = need - max(have, 0)
    if need <= 0 or short <= 0:
        return said, ""
    return said, _("%s is missing: top the account up, or raise its credit limit.") % amount(
        short, account
    )


def _addons(keys: Iterable[int]) -> dict[int, str]:
    wanted = {key for key in keys if key}
    return dict(AddOn.objects.filter(pk__in=wanted).values_list("pk", "name")) if wanted else {}


def _what(kind: int, addon: int, named: dict[int, str]) -> str:
    word = str(words.CHARGES[ChargeKind(kind)])
    return f"{word}: {visible(named.get(addon, ''))}" if addon else word
