"""The addresses of documents, letters and their words, beside those of their sections."""

from billclock.web import (
    bank_upload,
    billing_runs_preview,
    invoice_choosing,
    letter_templates,
    letters,
    payment_refund,
)

urlpatterns = [
    *invoice_choosing.URLS,
    *letters.URLS,
    *letter_templates.URLS,
    *payment_refund.URLS,
    *bank_upload.URLS,
    *billing_runs_preview.URLS,
]
