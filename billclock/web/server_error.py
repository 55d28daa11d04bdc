"""The page of a fault that nobody caught: a full disk is named, with what makes room."""

import errno
import sys

from django.conf import settings
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.template import loader

FULL = ("disk is full", "disk I/O error", "No space left on device")  # SQLite, PostgreSQL
NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


def page(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - looking at it may need the disk
    """Say what happened and what to do, by neither database nor session."""
    if _is_full(sys.exc_info()[1]):
        told = loader.get_template("507.html").render({"home": settings.HOME})
        return HttpResponse(told, status=507)
    return HttpResponse(loader.get_template("500.html").render(), status=500)


def _is_full(error: BaseException | None) -> bool:
    if isinstance(error, OSError):
        return error.errno in NO_ROOM
    return isinstance(error, OperationalError) and any(words in str(error) for words in FULL)
