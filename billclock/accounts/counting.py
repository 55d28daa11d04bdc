"""The cache in the database, in which attempts are counted; what can't be written, it says so."""

from collections.abc import Callable
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.db import DatabaseCache
from django.db import OperationalError, connections, router, transaction


class Counting(DatabaseCache):
    """Django's cache table, which passes over a full disk in silence.

    An attempt that can't be counted would then be let through, or told as one too many.
    """

    def _base_set(self, mode: str, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT) -> bool:
        """Write as Django does, or raise the OperationalError that kept it from being written."""
        database = router.db_for_write(self.cache_model_class)
        failed: list[OperationalError] = []

        def noting(execute: Callable[..., Any], *statement: Any) -> Any:
            try:
                return execute(*statement)
            except OperationalError as error:
                failed.append(error)
                raise

        # Django's own transaction becomes a part of this one, whose commit it does not pass over
        with transaction.atomic(using=database), connections[database].execute_wrapper(noting):
            done: bool = super()._base_set(mode, key, value, timeout)  # type: ignore[misc]
            if failed:
                raise failed[0]
        return done
