"""What gateways send: signed notices about payments, taken once each; signed out, by POST."""

import logging

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from billclock.billing import following, hearing, unsigned
from billclock.billing.clients import Account
from billclock.billing.errors import BadNoticeError, BadSignatureError, BillingError
from billclock.billing.payments import GatewayEvent, PaymentMethod

LARGEST = 256 * 1024

log = logging.getLogger(__name__)


@csrf_exempt
@login_not_required
@require_POST
def notice(request: HttpRequest, method: str) -> HttpResponse:
    """Take a notice of a payment method's gateway: 200 taken, 400 refused, 413 too large.

    An answer other than 200 makes the gateway send it again, which 503 asks for; each event
    counts once.
    """
    try:
        body = request.body if _length(request) <= LARGEST else None
    except RequestDataTooBig:
        body = None
    if body is None or len(body) > LARGEST:
        return _said("too large", 413)
    known = get_object_or_404(PaymentMethod.objects.select_related("provider"), code=method)
    newest = GatewayEvent.objects.order_by("-id").values_list("id", flat=True).first() or 0
    try:
        news = hearing.hear(known, dict(request.headers), body)
    except BadSignatureError as error:
        log.warning("%s: %s", method, error)
        unsigned.count(known)
        return _said("the signature is wrong", 400)
    except BadNoticeError as error:
        log.warning("%s: %s", method, error)
        return _said("the notice cannot be understood", 400)
    except BillingError as error:
        log.warning("%s: %s", method, error)
        return _said("it cannot be taken now", 503)
    _follow(known, newest)
    return _said(f"{news} new", 200)


def _length(request: HttpRequest) -> int:
    told = request.META.get("CONTENT_LENGTH") or "0"
    return int(told) if told.isascii() and told.isdecimal() else 0


def _follow(method: PaymentMethod, after: int) -> None:
    """Let what was credited renew what waits for it; its failure is not the notice's."""
    accounts = Account.objects.filter(
        payments__events__method=method, payments__events__id__gt=after
    ).select_related("provider")
    for account in accounts.distinct():
        following.attempt(account)


def _said(words: str, status: int) -> HttpResponse:
    return HttpResponse(f"{words}\n", status=status, content_type="text/plain")
