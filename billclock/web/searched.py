"""What a searched word means in the books: numbers of records, and the accounts it tells of."""

from collections.abc import Sequence
from typing import Any, TypeAlias

from django.db.models import Q, QuerySet

from billclock.billing.clients import Account, Client
from billclock.web.kit.query import held

MOST_FOUND = 1000

Found: TypeAlias = Sequence[int] | QuerySet[Any]
"""Keys, or what gives them: for a condition `…__in`."""


def numbers(word: str) -> set[str]:
    """Give a number as it may be written."""
    return {word, word.upper(), word.lower()}


def accounts(word: str, *, known: Q | None = None) -> Found:
    """Give the accounts of a number, or of a client's number or name; `known` adds clients."""
    by_client = Q(number__in=numbers(word)) | held(("name",), word)
    clients = few(Client.objects.filter(by_client | known if known else by_client))
    return few(Account.objects.filter(Q(number__in=numbers(word)) | Q(client__in=clients)))


def few(found: QuerySet[Any]) -> Found:
    """Give the keys of what was found; of very many the query.

    By keys PostgreSQL finds the rows of either of two conditions by their indexes, by queries it
    would look at every row.
    """
    keys = list(found.values_list("pk", flat=True)[: MOST_FOUND + 1])
    return keys if len(keys) <= MOST_FOUND else found
