"""Sends the scheduler's tables to a database file of their own where there is one."""

from typing import Any

from django.conf import settings
from django.db.models import Model

LABEL = "scheduler"


class Router:
    """Django's database router: the app `scheduler` lives in the alias of its name."""

    def db_for_read(self, model: type[Model], **_hints: Any) -> str:
        """Name the database in which `model` is read."""
        return _home(model._meta.app_label)

    def db_for_write(self, model: type[Model], **_hints: Any) -> str:
        """Name the database in which `model` is written."""
        return _home(model._meta.app_label)

    def allow_migrate(self, db: str, app_label: str, **_hints: Any) -> bool:
        """Tell whether the tables of `app_label` belong into `db`."""
        return db == _home(app_label)


def _home(app_label: str) -> str:
    return LABEL if app_label == LABEL and LABEL in settings.DATABASES else "default"
