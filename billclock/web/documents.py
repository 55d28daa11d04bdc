"""Documents as files: an invoice's PDF, sealed where it is closed."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from billclock.billing import closing, papers
from billclock.billing.documents.paper import LANGUAGES
from billclock.billing.errors import DocumentError
from billclock.billing.invoices import Invoice
from billclock.web.access import for_all, signed_in


@require_safe
def pdf(request: HttpRequest, invoice: int) -> HttpResponse:
    """Give an invoice's PDF to look at; one that is not what was sealed is refused with 409.

    `in` asks for a copy in another language, which is nothing that was sealed.
    """
    for_all(signed_in(request))
    related = ("account__client", "account__provider", "account__payer", "company", "credits")
    found = get_object_or_404(Invoice.objects.select_related(*related), pk=invoice)
    try:
        language = request.GET.get("in", "")
        made = papers.pdf(found, language) if language in LANGUAGES else closing.pdf(found)
    except DocumentError as error:
        return HttpResponse(f"{error}\n", status=409, content_type="text/plain; charset=utf-8")
    name = found.number or _("draft %(number)s") % {"number": found.pk}
    answer = HttpResponse(
        made,
        content_type="application/pdf",
        headers={"Cache-Control": "private, no-cache", "X-Content-Type-Options": "nosniff"},
    )
    answer["Content-Disposition"] = content_disposition_header(False, f"{name}.pdf") or "inline"
    return answer
