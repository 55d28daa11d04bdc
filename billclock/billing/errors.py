"""The exceptions of billing: what happened, to what, and what to do about it.

BillingError
├── UnknownCurrencyError   no currency has this code or number
├── PanelNumberError       a panel's number of a currency that another one has
├── PairError              two texts that do not name a currency and another one
├── NoRateError            no rate of a pair is known for a date
├── MoneyError             an amount that cannot be: beyond 64 bits, of another currency
│   └── AmountTextError    a text that is no amount
├── NotEnoughMoneyError    an account would fall below its floor
├── BooksError             figures do not agree; what was being done is undone
├── LimitError             an effect passed a limit: somebody has to allow it (.question)
├── PeriodError            days that make no period, or lie outside of one
├── DocumentError          a document whose figures or words do not agree (.number)
├── NumberTemplateError    a text that gives no document numbers (.column)
├── FormulaError           a formula that is not a chain of operations
├── SourceError            a source of rates gave none (.retry: whether a later try may help)
├── StatementError         a bank statement that cannot be read (.place: where in it)
├── DetailsError           facts of a thing that do not fit (.faults: field to fault)
├── PluginSettingsError    settings of a payment method, module … (.faults: field to fault)
├── ProcessingError        a processing module did not do it (.retry: whether a later try may)
└── PaymentMethodError     a way to pay did not do what was asked
    ├── NotOfferedError        it cannot do this at all
    ├── GatewayError           nothing was done (.retry: whether a later try may help)
    ├── BadSignatureError      a notice that the gateway did not sign
    └── BadNoticeError         a signed notice that cannot be understood
"""

from collections.abc import Mapping
from datetime import date
from typing import Protocol


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


class PanelNumberError(BillingError):
    """A currency's number in the panel belongs to another currency."""

    def __init__(self, number: int, code: str) -> None:
        super().__init__(f"{number} is the panel's number of {code}", "give another, or none")


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


class MoneyError(BillingError):
    """An amount that cannot be computed or kept."""


class AmountTextError(MoneyError):
    """A text that is no amount of a currency, which has so many decimals."""

    def __init__(self, text: str, why: str, decimals: int) -> None:
        example = f"1234.{'5':0<{decimals}}" if decimals else "1234"
        super().__init__(f"{text!r} {why}", f"write digits such as {example}")
        self.text = text


class PeriodError(BillingError):
    """Days that make no period, or that lie outside of the one they are of."""


class DocumentError(BillingError):
    """A document that cannot be made as it stands: its figures or its words do not agree."""

    def __init__(self, kind: str, number: str, what: str, mend: str = "") -> None:
        super().__init__(f"{kind} {number or 'without number'}: {what}", mend)
        self.number = number


class NumberTemplateError(BillingError):
    """A text that cannot serve as template of document numbers; `column` counts from 1."""

    def __init__(self, template: str, what: str, column: int, mend: str) -> None:
        super().__init__(f"number template {template!r}: {what} (column {column})", mend)
        self.template, self.column = template, column


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


class DetailsError(BillingError):
    """Facts of a thing that cannot be so; `faults` says by field what is wrong and what to do."""

    def __init__(self, whose: str, faults: Mapping[str, str]) -> None:
        said = "; ".join(f"{field}: {fault}" for field, fault in faults.items())
        super().__init__(f"{whose}: {said}")
        self.faults = dict(faults)


class PluginSettingsError(BillingError):
    """The settings of a plugin are wrong; `faults` says by field what is wrong with it."""

    def __init__(self, plugin: str, faults: Mapping[str, str]) -> None:
        said = "; ".join(f"{field}: {fault}" for field, fault in faults.items())
        super().__init__(f"settings of {plugin}: {said}")
        self.faults = dict(faults)


class PaymentMethodError(BillingError):
    """A way to pay did not do what was asked."""


class NotOfferedError(PaymentMethodError):
    """A payment method was asked for what it cannot do at all, whatever the moment."""

    def __init__(self, method: str, act: str) -> None:
        super().__init__(f"{method} cannot {act}", "look at its features before asking")


class GatewayError(PaymentMethodError):
    """A gateway refused or was not reached: nothing was done; `retry` says if that may pass."""

    def __init__(self, method: str, what: str, *, retry: bool, mend: str = "") -> None:
        super().__init__(f"{method}: {what}", mend)
        self.reason = what
        self.retry = retry


class BadSignatureError(PaymentMethodError):
    """A notice that claims to come from a gateway is not signed by it, or too old."""

    def __init__(self, method: str, why: str) -> None:
        super().__init__(
            f"{method}: a notice was refused: {why}", "check the secret in the method's settings"
        )


class BadNoticeError(PaymentMethodError):
    """A notice is signed by the gateway but lacks what it must say."""

    def __init__(self, method: str, why: str) -> None:
        super().__init__(
            f"{method}: a notice cannot be understood: {why}",
            "compare the version of the gateway's notices with the pinned one",
        )


class StatementError(BillingError):
    """A bank's statement cannot be read at all; `place` says where in it, "" for the whole."""

    def __init__(self, place: str, what: str, mend: str = "") -> None:
        super().__init__(f"{place}: {what}" if place else what, mend)
        self.place = place
        self.reason = what


class Sum(Protocol):
    """What an error has to know of an amount, which says itself as people read it."""

    @property
    def minor(self) -> int:
        """Give it in minor units."""

    @property
    def currency(self) -> str:
        """Give its currency's code."""


class NotEnoughMoneyError(BillingError):
    """An account cannot pay; in minor units and with the panel's names it is .amount, .have."""

    def __init__(self, owner: str, amount: Sum, have: Sum) -> None:
        super().__init__(
            f"account {owner} cannot pay {amount}: it has {have} to spend",
            "top the account up, or raise its credit limit",
        )
        self.owner, self.amount, self.have = owner, amount.minor, have.minor
        self.currency = amount.currency


class BooksError(BillingError):
    """Figures that must agree do not; what was being done was undone."""


class LimitError(BillingError):
    """An effect passed a limit that protects from mistakes; `question` says what to look at."""

    def __init__(self, question: str) -> None:
        super().__init__(question, "look at it, with --dry-run too; then run it with --confirm")
        self.question = question


class ProcessingError(BillingError):
    """A processing module refused or was not reached: nothing was done; `retry`: it may pass."""

    def __init__(self, module: str, what: str, *, retry: bool, mend: str = "") -> None:
        super().__init__(f"{module}: {what}", mend)
        self.reason = what
        self.retry = retry
