"""The exceptions of billing: what happened, to what, and what to do about it.

BillingError
├── UnknownCurrencyError   no currency has this code or number
├── PairError              two texts that do not name a currency and another one
├── NoRateError            no rate of a pair is known for a date
├── FormulaError           a formula that is not a chain of operations
└── SourceError            a source of rates gave none (.retry: whether a later try may help)
"""

from datetime import date


class BillingError(Exception):
    """Something in billing could not be done; nothing was changed."""

    def __init__(self, what: str, mend: str = "") -> None:
        super().__init__(f"{what}; {mend}" if mend else what)
        self.what = what
        self.mend = mend


class UnknownCurrencyError(BillingError):
    """No currency has this code or number."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name!r} is no currency",
            "give an ISO code such as EUR, or the number of a currency in the currency list",
        )
        self.name = name


class PairError(BillingError):
    """A text that does not name a currency and another one to convert it to."""

    def __init__(self, text: str, why: str) -> None:
        super().__init__(
            f"{text!r} is no pair of currencies: {why}",
            "give currency/target, such as 153/50 or USD/EUR",
        )


class NoRateError(BillingError):
    """No rate of a pair holds on a date."""

    def __init__(self, pair: str, on: date) -> None:
        super().__init__(
            f"no rate of {pair} is known for {on}", "upload rates or enter one by hand"
        )


class FormulaError(BillingError):
    """A formula that cannot be read, or that makes no rate."""

    def __init__(self, formula: str, why: str) -> None:
        super().__init__(
            f"formula {formula!r}: {why}",
            "write operations one after another, such as *1.05 or *1.02+0.5",
        )


class SourceError(BillingError):
    """A source of rates gave none; `retry` says whether a later try may help."""

    def __init__(self, place: str, what: str, *, retry: bool, mend: str = "") -> None:
        super().__init__(f"{place}: {what}" if place else what, mend)
        self.reason = what
        self.retry = retry
