"""The addresses of an account's payments and statement, and of what fields choose from."""

from django.urls import path

from billclock.web import client_by_hand, client_choices, client_paying, client_statement, seeking
from billclock.web.client_accounts import ACCOUNTS
from billclock.web.clients import CLIENTS

urlpatterns = [
    *(
        path(
            f"{section.name}/choices",
            client_choices.page,
            {"section": section, "sought": sought},
            name=f"{section.name}_choices",
        )
        for section, sought in ((ACCOUNTS, seeking.ACCOUNT), (CLIENTS, seeking.CLIENT))
    ),
    *(
        path(
            f"client-accounts/<str:key>/{name}",
            view,
            {"section": ACCOUNTS},
            name=f"client-accounts_{name}",
        )
        for name, view in (
            ("pay", client_paying.page),
            ("credit", client_paying.credit),
            ("by_hand", client_by_hand.page),
        )
    ),
    path(
        "client-accounts/<str:key>/statement",
        client_statement.page,
        {"section": ACCOUNTS},
        name="client-accounts_statement",
    ),
    path(
        "client-accounts/<str:key>/statement.csv",
        client_statement.as_csv,
        {"section": ACCOUNTS},
        name="client-accounts_statement_csv",
    ),
]
