"""Renewing a service at once, and closing one: what each costs or gives back."""

from django import forms
from django.utils.formats import date_format
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from billclock.accounts.models import User
from billclock.billing import changing, orders
from billclock.billing.services import Service
from billclock.web import service_lines as lines
from billclock.web.kit.section import Values
from billclock.web.service_asking import Asked, Outlook, Question

RETURNS = {"": None, "yes": True, "no": False}


class RenewForm(Asked):
    """Nothing is asked: the next period follows from the service."""


class CloseForm(Asked):
    """Why a service is closed, and whether days come back."""

    why = forms.CharField(
        label=_("Why"), max_length=180, help_text=_("Stands in the letter that tells of it.")
    )
    returns = forms.ChoiceField(
        label=_("Days paid and not used"),
        required=False,
        choices=(
            ("", _("as the product's type says")),
            ("yes", _("come back")),
            ("no", _("are kept")),
        ),
    )


def _next(row: Service, _values: Values) -> Outlook:
    charges = orders.rehearse_renewal(row, on=row.account.provider.today())
    need = sum(charge.total_minor for charge in charges)
    have, _short = lines.purse(need, row.account)
    end = max((charge.period_end for charge in charges), default=row.paid_until)
    said = lines.sentence(need, row.account)
    notes = [_now("It is paid until %s then.") % date_format(end, "j M Y"), have]
    if row.stopped_for:
        notes.append(_now("What it stands for, if that is money or its time, is lifted."))
    return Outlook(said, list(lines.made(charges, row.account)), notes,
                   button=f"{_now('Renew')}: {lines.amount(need, row.account)}")  # fmt: skip


def _renew(row: Service, _values: Values, _by: User) -> Service:
    return orders.renew(row, on=row.account.provider.today(), until=row.paid_until)


def _rest(row: Service, values: Values) -> Outlook:
    on, returns = row.account.provider.today(), RETURNS[values.get("returns", "")]
    found = changing.preview_close(row, on=on, returns=returns)
    back = found.returned_minor
    said = lines.sentence(-back, row.account) if back else _now("Nothing comes back")
    return Outlook(
        said,
        list(lines.back(found, row.account)),
        [_now("It is closed for good: to have it again, a new one is ordered.")],
        button=f"{_now('Close it for good')} · {said}" if back else _now("Close it for good"),
    )


def _close(row: Service, values: Values, by: User) -> Service:
    on = row.account.provider.today()
    return changing.close(
        row, on=on, why=values["why"], by=by.email, returns=RETURNS[values["returns"]]
    )


RENEW = Question("renew", _("Renew now"), "play", RenewForm, _next, _renew)
CLOSE = Question("close", _("Close"), "power-off", CloseForm, _rest, _close, danger=True)
