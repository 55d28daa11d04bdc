"""The papers that go with a letter: the PDF of the invoice it tells of, made as it leaves."""

from __future__ import annotations

from collections.abc import Mapping

from billclock.billing import closing
from billclock.billing.invoices import Invoice
from billclock.billing.letters.news import News
from billclock.billing.notice_kinds import INVOICE
from billclock.outbox.channels import Attachment

RELATED = ("account__client", "account__provider", "account__payer", "company", "credits")


def enclosed(news: News) -> tuple[Attachment, ...]:
    """Give what is attached to a letter; DocumentError where a PDF cannot be made or was changed.

    A sealed invoice goes as it was sealed.
    """
    if news.kind != INVOICE.name:
        return ()
    invoice = Invoice.objects.select_related(*RELATED).get(pk=news.subject)
    name = f"{invoice.number or invoice.pk}.pdf".translate(_UNFIT)
    return (Attachment(name, "application/pdf", closing.pdf(invoice)),)


_UNFIT: Mapping[int, str] = str.maketrans(dict.fromkeys('/\\:*?"<>|', "-"))
