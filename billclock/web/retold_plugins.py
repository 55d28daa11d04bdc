"""The forms of what plugins say of their settings: what each is, and what is wrong with one."""

FORMS = (
    "whose account it is",
    "an IBAN, or a number as the bank writes it",
    "the bank's code",
    "the bank's name",
    "currencies taken, such as EUR,CZK; none: any",
    "what the client names: the payment's number, or it with check digits (ISO 11649)",
    (
        "the columns of the bank's CSV, where it gives no camt.053: date=Datum; amount=Betrag; "
        "of_currency=EUR; text=Zweck"
    ),
    "what its faults are drawn from",
    "how much goes wrong",
    "signs its notices",
    "where it runs, if not in this process",
    "where its pages for clients are",
    "the account's secret key",
    "the webhook's signing secret",
    "in place of Stripe's own, for tests",
    "missing: %(why)s",
    "more than %(count)d characters, or unprintable ones",
    "'%(text)s' is not a whole number",
    "'%(text)s' is none of %(known)s",
    "'%(text)s' is not an address such as https://example.org/",
    "its check digits are wrong",
    "a secret key begins with sk_ or rk_",
    "a webhook's signing secret begins with whsec_",
)
