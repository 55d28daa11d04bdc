"""The way to Stripe: its library with a pinned version, answers as plain dicts, errors as ours."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any

from billclock.billing.errors import GatewayError

if TYPE_CHECKING:
    import stripe
    from stripe import StripeObject

NAME = "stripe"
VERSION = "2026-10-28.endive"
"""The version of Stripe's API this is written and tested against."""

SILENCE = 30.0  # seconds; Stripe's own limit for a card network's answer is below
MOST = 10_000  # objects of a list that are looked through

Told = dict[str, Any]


class Line:
    """One account at Stripe; `address` replaces Stripe's own."""

    def __init__(self, key: str, address: str) -> None:
        self._key = key
        self._address = address

    @cached_property
    def client(self) -> "stripe.StripeClient":
        """Give Stripe's client, which retries nothing by itself: one call is one request."""
        import stripe  # noqa: PLC0415 - an optional extra, half a second to import

        return stripe.StripeClient(
            self._key,
            stripe_version=VERSION,
            base_addresses={"api": self._address} if self._address else None,
            max_network_retries=0,
            http_client=stripe.RequestsClient(timeout=SILENCE),
        )

    def asked(self, call: Callable[[], "StripeObject"]) -> Told:
        """Give what a call says that moves no money; raise GatewayError."""
        with self.harmless():
            return call().to_dict()

    def found(
        self, call: Callable[[], Any], matches: Callable[[Told], bool], what: str
    ) -> Told | None:
        """Give the first object of a list, all its pages, that matches."""
        with self.harmless():
            pages = call().auto_paging_iter()
            for number, item in enumerate(islice(pages, MOST), 1):
                told: Told = item.to_dict()
                if matches(told):
                    return told
                if number == MOST:
                    raise GatewayError(
                        NAME, f"more than {MOST} {what} to look through", retry=False,
                        mend="look for the payment at Stripe by hand",
                    )  # fmt: skip
        return None

    @contextmanager
    def harmless(self) -> Iterator[None]:
        """Turn the library's errors into a GatewayError: nothing was moved, whatever arrived."""
        import stripe  # noqa: PLC0415

        try:
            yield
        except stripe.StripeError as error:
            raise gateway_error(error) from None


def gateway_error(error: "stripe.StripeError") -> GatewayError:
    """Give the error that says whether a retry helps."""
    import stripe  # noqa: PLC0415

    passing = (stripe.APIConnectionError, stripe.RateLimitError)
    retry = isinstance(error, passing) or (error.http_status or 0) >= 500  # noqa: PLR2004 - HTTP
    said = (error.user_message or type(error).__name__).split("\n")[0]
    mend = ""
    if isinstance(error, stripe.AuthenticationError | stripe.PermissionError):
        mend = "check the secret key in the method's settings"
    return GatewayError(NAME, said, retry=retry, mend=mend)


def refusal(error: "stripe.StripeError") -> Mapping[str, Any]:
    """Give the error object of Stripe's answer, {} where there is none."""
    body = error.json_body
    found = body.get("error") if isinstance(body, dict) else None
    return found if isinstance(found, dict) else {}
