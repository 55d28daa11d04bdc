"""A bank's statement imported through the web, and what became of each of its lines."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from billclock.accounts import audit
from billclock.billing import banking
from billclock.billing.banking import Imported
from billclock.billing.errors import BillingError
from billclock.billing.payments import PaymentMethod
from billclock.web.bank_entries import BANK_ENTRIES
from billclock.web.client_words import amount
from billclock.web.fresh import fresh
from billclock.web.kit import rights
from billclock.web.kit.editing import WRONG
from billclock.web.kit.fields import Form
from billclock.web.kit.figures import Chosen
from billclock.web.visible import visible

LARGEST = 8 << 20  # bytes; more takes longer than a browser waits
MOST_SHOWN = 50
BY_BANK = "bank_transfer"


class UploadForm(Form):
    """Which method's statement, and the file."""

    method = Chosen(
        PaymentMethod.objects.filter(plugin=BY_BANK).order_by("name"),
        named=lambda row: f"{row.name} · {row.code}",
        label=_("Payment method"),
    )
    file = forms.FileField(
        label=_("Statement"), max_length=200,
        help_text=_("camt.053 (XML), or CSV by the method's layout; at most 8 MiB."),
    )  # fmt: skip

    def clean_file(self) -> bytes:
        """Give what is in the file, if it is not too large."""
        file = self.cleaned_data["file"]
        if (file.size or 0) > LARGEST:
            raise forms.ValidationError(
                _("It is larger than 8 MiB: ask the bank for shorter periods, or import it by "
                  "billclock statement in a shell.")
            )  # fmt: skip
        return bytes(file.read())


@require_http_methods(["GET", "HEAD", "POST"])
@fresh
def upload(request: HttpRequest) -> HttpResponse:
    """Ask for a statement, import it, and say what was booked, waits, was known, was refused."""
    user, sent = rights.editor(request, BANK_ENTRIES), request.method == "POST"
    form = UploadForm(request.POST, request.FILES) if sent else UploadForm()
    done: Imported | None = None
    if sent and form.is_valid():
        method = form.cleaned_data["method"]
        try:
            done = banking.import_statement(method, form.cleaned_data["file"])
        except BillingError as error:
            form.refuse(error)
        else:
            audit.note(user.email, "bank-entries.upload", method.code, after=_told(done),
                       request=request)  # fmt: skip
            messages.success(request, _now("Imported: each line was taken once."))
    context = {"section": BANK_ENTRIES, "form": form, "back": BANK_ENTRIES.address()}
    context |= _shown(done) if done is not None else {}
    return render(request, "payments/upload.html", context, status=WRONG if form.errors else 200)


def _told(done: Imported) -> str:
    return (
        f"{len(done.credited)} credited, {len(done.waiting)} waiting, {len(done.out)} out,"
        f" {done.known} known, {len(done.faults)} refused"
    )


def _shown(done: Imported) -> dict[str, object]:
    return {
        "done": done,
        "sums": [amount(minor, code) for code, minor in sorted(done.sums.items())],
        "waiting": [
            (BANK_ENTRIES.address("one", row.pk), BANK_ENTRIES.name_of(row),
             amount(row.amount_minor, row.currency), visible(row.why))
            for row in done.waiting[:MOST_SHOWN]
        ],
        "faults": [(visible(one.where), visible(one.what)) for one in done.faults[:MOST_SHOWN]],
    }  # fmt: skip


URLS = [path("bank-entries/upload", upload, name="bank-entries_upload")]
