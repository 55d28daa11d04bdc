"""Stripe's decline codes by class; pure.

Source: https://docs.stripe.com/declines/codes and https://docs.stripe.com/error-codes.
"""

from collections.abc import Mapping
from typing import Any

from billclock.billing.payment_methods.declines import Decline, DeclineClass

CODES: Mapping[DeclineClass, str] = {
    DeclineClass.INSUFFICIENT_FUNDS: "insufficient_funds",
    DeclineClass.LIMIT: "card_velocity_exceeded withdrawal_count_limit_exceeded",
    DeclineClass.TEMPORARY: (
        "approve_with_id issuer_not_available processing_error reenter_transaction try_again_later"
    ),
    DeclineClass.AUTHENTICATION_REQUIRED: (
        "authentication_required authentication_not_handled payment_intent_authentication_failure"
    ),
    DeclineClass.EXPIRED_CARD: "expired_card invalid_expiry_month invalid_expiry_year",
    DeclineClass.LOST_OR_STOLEN: "lost_card pickup_card restricted_card stolen_card",
    DeclineClass.FRAUD: "fraudulent highest_risk_level merchant_blacklist",
    DeclineClass.INVALID: (
        "card_not_supported currency_not_supported incorrect_address incorrect_cvc incorrect_number"
        " incorrect_pin incorrect_zip invalid_account invalid_amount invalid_cvc invalid_number"
        " invalid_pin new_account_information_available not_permitted offline_pin_required"
        " online_or_offline_pin_required pin_try_exceeded security_violation service_not_allowed"
        " testmode_decline transaction_not_allowed"
    ),
}
CLASSES = {code: kind for kind, codes in CODES.items() for code in codes.split()}

FINAL = frozenset(
    {
        "do_not_try_again",
        "revocation_of_all_authorizations",
        "revocation_of_authorization",
        "stop_payment_order",
    }
)
"""The cardholder or the issuer wants no more of it."""


def decline(error: Mapping[str, Any]) -> Decline:
    """Give the decline of Stripe's error object; a code that is not known counts as unexplained."""
    code = str(error.get("decline_code") or error.get("code") or "")
    kind = CLASSES.get(code, DeclineClass.DO_NOT_HONOUR)
    final = code in FINAL or error.get("advice_code") == "do_not_try_again"
    return Decline(kind, code, str(error.get("message") or ""), final=final)


AUTHENTICATION = Decline(
    DeclineClass.AUTHENTICATION_REQUIRED, "requires_action", "The bank asks the client to confirm."
)
ABANDONED = Decline(DeclineClass.ABANDONED, "expired", "The page was left without paying.")
