"""Monthly invoices of those who pay afterwards: by ranges of accounts, each month once.

An account, company and currency have one invoice a month: over the month's charges that are on no
invoice, and over earlier ones that are on none and not paid, such as those of a month in which it
was parked. With it goes a payment to be made, by the method the client last paid with.
"""
