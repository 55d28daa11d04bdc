"""The one error of the crontab language: what is wrong, where, and what was probably meant."""

from __future__ import annotations


class CronError(ValueError):
    """A text is not a crontab expression, or a line is not a crontab line.

    `reason` says what is wrong, `column` where (from 1), `field` in which of the five fields
    (None: in none of them), `line` in which line of a document (None: there is no document).
    `suggestion` is a whole expression, or a whole line, that parses; `hint` is the part of it
    worth showing to a reader, when the whole says too much.
    """

    def __init__(
        self,
        reason: str,
        *,
        column: int = 1,
        field: str | None = None,
        suggestion: str | None = None,
        hint: str | None = None,
        line: int | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.column = column
        self.field = field
        self.suggestion = suggestion
        self.hint = hint
        self.line = line

    def at(
        self, *, line: int | None = None, offset: int = 0, suggestion: str | None = None
    ) -> CronError:
        """Return a copy moved to a place in a document: a line, and `offset` columns further.

        A `suggestion` given here (a whole line) takes the place of the expression's own.
        """
        return CronError(
            self.reason,
            column=self.column + offset,
            field=self.field,
            suggestion=suggestion or self.suggestion,
            hint=self.hint,
            line=line or self.line,
        )

    def __str__(self) -> str:
        line = f"line {self.line}: " if self.line else ""
        field = f"{self.field}: " if self.field else ""
        meant = self.hint or self.suggestion
        mend = f"; did you mean {meant}?" if meant else ""
        return f"{line}{field}{self.reason} (column {self.column}){mend}"
