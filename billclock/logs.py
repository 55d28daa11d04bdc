"""The log's two forms: a line for people, or one JSON object a line."""

import json
import logging
from datetime import UTC, datetime

_KNOWN = frozenset(vars(logging.makeLogRecord({})))


class JsonLines(logging.Formatter):
    """Writes each record as a JSON object with its moment in UTC and whatever it carries."""

    def format(self, record: logging.LogRecord) -> str:
        """Give the record as one line."""
        told = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **{key: value for key, value in vars(record).items() if key not in _KNOWN},
        }
        if record.exc_info:
            told["traceback"] = self.formatException(record.exc_info)
        return json.dumps(told, default=str, ensure_ascii=False)
