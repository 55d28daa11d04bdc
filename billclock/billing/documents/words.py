"""The words of a document in each language; what a seller writes himself comes with the paper."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from billclock.billing.documents.paper import Kind


@dataclass(frozen=True, slots=True)
class Words:
    """One language: its titles by kind, its labels, and how it writes days and shares."""

    locale: str
    dates: str  # the locale of days: English ones begin with the day
    percent: str
    titles: Mapping[Kind, str]
    whole: Mapping[Kind, str]  # what the total is called
    open: Mapping[Kind, str]  # what is not paid yet
    parties: Mapping[Kind, tuple[str, str]]
    number: str
    issued: str
    due: str
    credited: Mapping[Kind, str]
    of_day: str
    currency: str
    columns: tuple[str, str, str, str, str, str]
    net: str
    tax: str
    taxed: str
    paid: str
    paid_back: str
    overpaid: str
    account: str
    bic: str
    bank: str
    reference: str
    tax_number: str
    registration: str
    page: tuple[str, str]
    seal: str
    signature: str
    attached: str


ENGLISH = Words(
    locale="en",
    dates="en_GB",
    percent="#,##0.####%",
    titles={
        Kind.INVOICE: "Invoice",
        Kind.REQUEST: "Payment request",
        Kind.CREDIT_NOTE: "Credit note",
        Kind.CLOSING: "Statement of services",
    },
    whole={
        Kind.INVOICE: "Total",
        Kind.REQUEST: "Total",
        Kind.CREDIT_NOTE: "Total credited",
        Kind.CLOSING: "Total",
    },
    open={
        Kind.INVOICE: "Amount due",
        Kind.REQUEST: "Amount due",
        Kind.CREDIT_NOTE: "Still to be paid back",
        Kind.CLOSING: "Amount due",
    },
    parties={
        Kind.INVOICE: ("Seller", "Billed to"),
        Kind.REQUEST: ("Seller", "Billed to"),
        Kind.CREDIT_NOTE: ("Seller", "Credited to"),
        Kind.CLOSING: ("For the seller", "For the client"),
    },
    number="Number",
    issued="Date of issue",
    due="Payable by",
    credited={Kind.CREDIT_NOTE: "Credits invoice", Kind.CLOSING: "For invoice"},
    of_day="{number} of {day}",
    currency="Currency",
    columns=("Description", "Quantity", "Unit price", "Net", "Tax", "Gross"),
    net="Net",
    tax="VAT",
    taxed="{tax} {rate} on {net}",
    paid="Paid",
    paid_back="Paid back",
    overpaid="Overpaid",
    account="Account",
    bic="BIC",
    bank="Bank",
    reference="Reference",
    tax_number="Tax number",
    registration="Registration",
    page=("Page", "of"),
    seal="Seal",
    signature="Date, name, signature",
    attached="The figures of this document, for programs",
)

RUSSIAN = Words(
    locale="ru",
    dates="ru",
    percent="#,##0.####\u00a0%",
    titles={
        Kind.INVOICE: "Счёт",
        Kind.REQUEST: "Счёт на оплату",
        Kind.CREDIT_NOTE: "Кредит-нота",
        Kind.CLOSING: "Акт об оказании услуг",
    },
    whole={
        Kind.INVOICE: "Всего",
        Kind.REQUEST: "Всего",
        Kind.CREDIT_NOTE: "Всего к возврату",
        Kind.CLOSING: "Всего",
    },
    open={
        Kind.INVOICE: "К оплате",
        Kind.REQUEST: "К оплате",
        Kind.CREDIT_NOTE: "Осталось вернуть",
        Kind.CLOSING: "К оплате",
    },
    parties={
        Kind.INVOICE: ("Продавец", "Плательщик"),
        Kind.REQUEST: ("Продавец", "Плательщик"),
        Kind.CREDIT_NOTE: ("Продавец", "Получатель"),
        Kind.CLOSING: ("Исполнитель", "Заказчик"),
    },
    number="Номер",
    issued="Дата",
    due="Оплатить до",
    credited={Kind.CREDIT_NOTE: "К счёту", Kind.CLOSING: "К счёту"},
    of_day="{number} от {day}",
    currency="Валюта",
    columns=("Наименование", "Количество", "Цена", "Без налога", "Налог", "С налогом"),
    net="Без налога",
    tax="НДС",
    taxed="{tax} {rate} с {net}",
    paid="Оплачено",
    paid_back="Возвращено",
    overpaid="Переплата",
    account="Счёт",
    bic="БИК",
    bank="Банк",
    reference="Назначение",
    tax_number="Налоговый номер",
    registration="Регистрация",
    page=("Страница", "из"),
    seal="Отпечаток данных",
    signature="Дата, имя, подпись",
    attached="Данные этого документа для программ",
)

WORDS: Mapping[str, Words] = {"en": ENGLISH, "ru": RUSSIAN}
