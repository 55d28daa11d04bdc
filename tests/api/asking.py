"""What many questions in a row need: every address there is, and everything as it was before."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from django.db import transaction
from django.urls import URLPattern, URLResolver

from billclock.urls import urlpatterns


def patterns(found=urlpatterns, prefix: str = "", space: str = "") -> Iterator[tuple[str, str]]:
    """Give the name and the path of every address."""
    for pattern in found:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            inner = f"{pattern.namespace}:" if pattern.namespace else ""
            yield from patterns(pattern.url_patterns, path, space + inner)
        else:
            assert isinstance(pattern, URLPattern)
            yield space + (pattern.name or path), path


@contextmanager
def as_it_was(spool: Path) -> Iterator[None]:
    """Undo at the end what is done to the databases and the tables."""
    tables = {path: path.read_bytes() for path in spool.iterdir()}
    with ExitStack() as undone:
        for alias in ("default", "scheduler"):
            undone.enter_context(transaction.atomic(using=alias))
        yield
        for alias in ("default", "scheduler"):
            transaction.set_rollback(True, using=alias)
    for path, text in tables.items():
        path.write_bytes(text)
