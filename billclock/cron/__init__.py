"""The crontab language: expressions, when they run, and why a text is refused."""

from .errors import CronError
from .expression import Expression

__all__ = ["CronError", "Expression"]
