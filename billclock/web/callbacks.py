"""What gateways send: signed notices about payments, taken once each; signed out, by POST."""

import logging
from collections.abc import Sequence

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from billclock.billing import following, hearing, unsigned
from billclock.billing.errors import BadNoticeError, BadSignatureError, BillingError
from billclock.billing.payment_methods.base import Event
from billclock.billing.payments import PaymentMethod

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
    try:
        events = hearing.read(known, dict(request.headers), body)
        return _taken(known, events)
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


def _length(request: HttpRequest) -> int:
    told = request.META.get("CONTENT_LENGTH") or "0"
    return int(told) if told.isascii() and told.isdecimal() else 0


def _taken(method: PaymentMethod, events: Sequence[Event]) -> HttpResponse:
    """Take events, and let what was credited do what it is for; its failure is not the notice's.

    That of the events before one that cannot be taken yet is done too.
    """
    try:
        return _said(f"{hearing.take(method, events)} new", 200)
    finally:
        for account in following.told_of(method, {event.gateway_id for event in events}):
            following.attempt(account)


def _said(words: str, status: int) -> HttpResponse:
    return HttpResponse(f"{words}\n", status=status, content_type="text/plain")
