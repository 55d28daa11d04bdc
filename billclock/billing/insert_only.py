"""Triggers that keep the books on both engines: rows that only come, documents that only stay."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.backends.base.base import BaseDatabaseWrapper

TABLES = (
    "billing_transfer",
    "billing_charge",
    "billing_verdict",
    "billing_reversal",
    "billing_seal",
    "billing_handentry",
)
FORBIDDEN = ("UPDATE", "DELETE")


@dataclass(frozen=True, slots=True)
class Guard:
    """What may not be done to a table: an act, always or `when` OLD and NEW are so, and why.

    In `when`, DIFFERS stands for the engine's comparison that knows null.
    """

    table: str
    act: str
    why: str
    when: str = ""

    @property
    def name(self) -> str:
        """Give the trigger's name."""
        return f"{self.table}_no_{self.act.lower()}"


def _differ(*columns: str) -> str:
    return " OR ".join(f"NEW.{column} DIFFERS OLD.{column}" for column in columns)


FIGURES = _differ(
    "kind", "key", "company_id", "account_id", "payer_id", "currency", "number", "sequence_id",
    "place", "issued_on", "credits_id", "net_minor", "tax_minor", "rounding_minor",
    "covered_minor", "seller", "buyer",
)  # fmt: skip
SEALED = _differ("closed_on", "digest", "pdf_digest")
WORDS = _differ("due_on", "note")

_STATES = f"""
    NEW.state NOT IN ('issued', 'closed')
        AND NOT (OLD.kind = 'request' AND NEW.state = 'cancelled')
    OR OLD.state = 'cancelled' AND NEW.state <> 'cancelled'
    OR OLD.state = 'closed' AND ({WORDS} OR NEW.state = 'closed' AND ({SEALED}))
"""
_NUMBERED = "EXISTS (SELECT 1 FROM billing_invoice i WHERE i.id = {}.invoice_id AND i.number <> '')"
_ISSUED = "an issued document stays as it is: write a credit note instead"
_DRAWN = "numbers that were drawn are never drawn again"

GUARDS = (
    *(
        Guard(table, act, f"{table} is insert-only: post a correction instead")
        for table in TABLES
        for act in FORBIDDEN
    ),
    Guard("billing_invoice", "UPDATE", _ISSUED, f"OLD.number <> '' AND ({FIGURES} OR {_STATES})"),
    Guard("billing_invoice", "DELETE", _ISSUED, "OLD.number <> ''"),
    Guard("billing_invoiceline", "INSERT", _ISSUED, _NUMBERED.format("NEW")),
    Guard(
        "billing_invoiceline", "UPDATE", _ISSUED,
        f"{_NUMBERED.format('OLD')} OR {_NUMBERED.format('NEW')}",
    ),
    Guard("billing_invoiceline", "DELETE", _ISSUED, _NUMBERED.format("OLD")),
    Guard(
        "billing_numbersequence", "UPDATE", _DRAWN,
        f"NEW.last < OLD.last OR {_differ('company_id', 'kind', 'year')}",
    ),
    Guard("billing_numbersequence", "DELETE", _DRAWN),
)  # fmt: skip


def guard(connection: BaseDatabaseWrapper) -> None:
    """Set the triggers on every table of the books that has none yet."""
    present = set(connection.introspection.table_names())
    with connection.cursor() as cursor:
        for rule in GUARDS:
            if rule.table in present:
                for statement in _statements(connection.vendor, rule):
                    cursor.execute(statement)


def unguarded(connection: BaseDatabaseWrapper) -> list[str]:
    """Name the triggers that are missing or switched off, as `table: UPDATE`."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        else:
            cursor.execute("SELECT tgname FROM pg_trigger WHERE tgenabled <> 'D'")
        set_up = {name for (name,) in cursor.fetchall()}
    return [f"{rule.table}: {rule.act}" for rule in GUARDS if rule.name not in set_up]


def lift(connection: BaseDatabaseWrapper) -> None:
    """Take the triggers off: for tests, and for whoever has to empty a database."""
    with connection.cursor() as cursor:
        for rule in GUARDS:
            on = "" if connection.vendor == "sqlite" else f" ON {rule.table}"
            cursor.execute(f"DROP TRIGGER IF EXISTS {rule.name}{on}")


def _statements(vendor: str, rule: Guard) -> Iterator[str]:
    if vendor == "sqlite":
        when = rule.when.replace("DIFFERS", "IS NOT")
        yield (
            f"CREATE TRIGGER IF NOT EXISTS {rule.name} BEFORE {rule.act} ON {rule.table} "
            f"BEGIN SELECT RAISE(ABORT, '{rule.why}'){f' WHERE {when}' if when else ''}; END"
        )
        return
    when = rule.when.replace("DIFFERS", "IS DISTINCT FROM") or "true"
    row = "OLD" if rule.act == "DELETE" else "NEW"
    yield (
        f"CREATE OR REPLACE FUNCTION {rule.name}() RETURNS trigger LANGUAGE plpgsql AS $$ "
        f"BEGIN IF {when} THEN RAISE EXCEPTION '{rule.why}'; END IF; RETURN {row}; END $$"
    )
    yield (
        f"CREATE OR REPLACE TRIGGER {rule.name} BEFORE {rule.act} ON {rule.table} "
        f"FOR EACH ROW EXECUTE FUNCTION {rule.name}()"
    )
