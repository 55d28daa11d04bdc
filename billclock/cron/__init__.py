"""The crontab language: expressions and when they run, the crontab document, its lint."""

from .crontab import Crontab
from .describe import describe
from .entry import Assignment, Entry
from .errors import CronError
from .expression import Expression
from .findings import Finding
from .lint import lint

__all__ = [
    "Assignment",
    "CronError",
    "Crontab",
    "Entry",
    "Expression",
    "Finding",
    "describe",
    "lint",
]
