"""Text held in a column in whatever case: databases know the case of ASCII letters only.

SQLite never knows another, PostgreSQL not in every locale. So a word with other letters is looked
for by a pattern that names both cases of each, which either engine matches by itself: no index is
lost by it, and no function of ours is called for every row.
"""

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Field, Lookup, Q
from django.db.models.lookups import Regex
from django.db.models.sql.compiler import SQLCompiler

SQL = tuple[str, tuple[Any, ...]]


def holds(field: str, text: str) -> Q:
    """Give the condition that a field has `text` in it, in any case."""
    return Q(**{f"{field}__{'icontains' if text.isascii() else 'holds_anycase'}": text})


def equals(field: str, text: str) -> Q:
    """Give the condition that a field is `text`, in any case."""
    return Q(**{f"{field}__{'iexact' if text.isascii() else 'is_anycase'}": text})


def cases(letter: str) -> str:
    """Give the ways to write one letter; those that take two letters (ß as SS) are left out."""
    ways = dict.fromkeys((letter, letter.lower(), letter.upper(), letter.title()))
    return "".join(way for way in ways if len(way) == 1)


def glob(text: str) -> str:
    """Give a pattern of SQLite's GLOB that is `text` in any case."""
    means_itself_in_a_class = "*?["
    return "".join(
        f"[{cases(one)}]" if one.isalpha() or one in means_itself_in_a_class else one
        for one in text
    )


def regex(text: str) -> str:
    r"""Give a regular expression of PostgreSQL that is `text` in any case.

    A backslash makes a letter or digit into a command, and anything else into itself.
    """
    return "".join(
        f"[{cases(one)}]" if one.isalpha() else one if one.isalnum() or one == "_" else f"\\{one}"
        for one in text
    )


@Field.register_lookup
class Holds(Lookup):
    """`field__holds_anycase`: the text is somewhere in the field."""

    lookup_name = "holds_anycase"
    prepare_rhs = False
    around = ("*", "*"), ("", "")

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> SQL:
        """Say it to PostgreSQL."""
        before, after = self.around[1]
        found = Regex(self.lhs, f"{before}{regex(str(self.rhs))}{after}")
        sql, params = found.as_sql(compiler, connection)
        return sql, tuple(params)

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> SQL:
        """Say it to SQLite."""
        before, after = self.around[0]
        sql, params = self.process_lhs(compiler, connection)
        return f"{sql} GLOB %s", (*params, f"{before}{glob(str(self.rhs))}{after}")


@Field.register_lookup
class Is(Holds):
    """`field__is_anycase`: the text is all of the field."""

    lookup_name = "is_anycase"
    around = ("", ""), ("^", "$")
