"""The PostgreSQL that tests run against, and databases of their own on it."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from urllib.parse import quote

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

ADDRESS = os.environ.get("BILLCLOCK_TEST_POSTGRES", "host=127.0.0.1 user=postgres dbname=postgres")


@cache
def answers() -> bool:
    try:
        psycopg.connect(ADDRESS, connect_timeout=3).close()
    except psycopg.OperationalError:
        return False
    return True


@contextmanager
def database(template: str = "template0") -> Iterator[dict[str, object]]:
    """Make a database, give it as an entry of Django's DATABASES, drop it at the end.

    It is empty, or a copy of one that nobody is in.
    """
    name = f"billclock_test_{os.getpid()}_{secrets.token_hex(4)}"
    create(name, template)
    try:
        yield entry(name)
    finally:
        drop(name)


def create(name: str, template: str = "template0") -> None:
    _say("CREATE DATABASE {} TEMPLATE {} ENCODING 'UTF8'", name, template)


def drop(name: str) -> None:
    _say("DROP DATABASE {} WITH (FORCE)", name)


def entry(name: str) -> dict[str, object]:
    """Give a database as an entry of Django's DATABASES."""
    address = conninfo_to_dict(ADDRESS)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": address.get("user", ""),
        "PASSWORD": address.get("password", ""),
        "HOST": address.get("host", ""),
        "PORT": str(address.get("port", "")),
    }


def url(entry: dict[str, object]) -> str:
    """Give such an entry as BILLCLOCK_DATABASE has it."""
    user = quote(f"{entry['USER']}")
    secret = f":{quote(str(entry['PASSWORD']))}" if entry["PASSWORD"] else ""
    port = f":{entry['PORT']}" if entry["PORT"] else ""
    return f"postgresql://{user}{secret}@{entry['HOST']}{port}/{entry['NAME']}"


@contextmanager
def connected(entry: dict[str, object]) -> Iterator[psycopg.Connection]:
    """Connect to a database of `database`, without Django."""
    keys = {
        "dbname": "NAME",
        "user": "USER",
        "password": "PASSWORD",
        "host": "HOST",
        "port": "PORT",
    }
    known = {key: entry[name] for key, name in keys.items() if entry[name]}
    with psycopg.connect(**known, autocommit=True) as connection:
        yield connection


def _say(statement: str, *names: str) -> None:
    with psycopg.connect(ADDRESS, autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))
