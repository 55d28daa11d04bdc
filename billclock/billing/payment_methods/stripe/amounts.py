"""Amounts as Stripe counts them, which is not always the ISO minor unit; pure.

Source: https://docs.stripe.com/currencies, "Minor units" and "Special cases".
"""

from billclock.billing.errors import GatewayError

HUNDREDTHS = frozenset(
    {"ISK"}
)  # no minor unit in ISO 4217; Stripe counts hundredths, as it once had
WHOLE = frozenset({"MGA"})  # hundredths in ISO 4217; Stripe counts whole units
TENS = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})  # thousandths, the last digit 0
REFUSED = frozenset({"UGX"})  # Stripe's page says both whole units and hundredths


def to_stripe(minor: int, currency: str) -> int:
    """Give Stripe's amount for one in the ISO minor unit; raise GatewayError where it has none."""
    if currency in REFUSED:
        raise _refused(minor, currency, "Stripe does not say what its unit is")
    if currency in HUNDREDTHS:
        return minor * 100
    if currency in WHOLE:
        if minor % 100:
            raise _refused(minor, currency, "Stripe takes whole units of this currency only")
        return minor // 100
    if currency in TENS and minor % 10:
        raise _refused(minor, currency, "Stripe takes only amounts whose last digit is 0")
    return minor


def from_stripe(amount: int, currency: str) -> int:
    """Give the ISO minor units of Stripe's amount; raise GatewayError where they are not whole."""
    if currency in REFUSED or (currency in HUNDREDTHS and amount % 100):
        raise _refused(amount, currency, "an amount of Stripe's that cannot be read")
    if currency in HUNDREDTHS:
        return amount // 100
    return amount * 100 if currency in WHOLE else amount


def _refused(amount: int, currency: str, why: str) -> GatewayError:
    return GatewayError("stripe", f"{amount} minor units of {currency}: {why}", retry=False)
