"""Promises M1, M2, M3, M6: however often, in whatever pieces and wherever cut off, equal books."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection, transaction

from billclock import clock
from billclock.billing import fingerprint
from billclock.billing.daily import run
from billclock.billing.provider import Provider
from billclock.billing.verifying import breaches
from billclock.simulation import company
from tests.billing.engines import on_postgresql

START = date(2026, 1, 28)
FIRST = START + timedelta(days=1)
SIZE = company.Size(160)
SMALL = company.Size(24)


class CutOffError(Exception):
    """Stands for kill -9 between two statements."""


@contextmanager
def founded(size: company.Size = SIZE):
    """Found a company for the block and undo everything at its end."""
    with transaction.atomic(), clock.at(datetime.combine(START, datetime.min.time(), UTC)):
        yield company.found(size, START)
        transaction.set_rollback(True)


def bill(provider: Provider, on: date, chunk: int = 0) -> None:
    run.bill(provider, on, run.Plan(chunk=chunk))


def books_after(days: int, chunk: int = 0, *, only: tuple[int, ...] = ()) -> dict[str, str]:
    """Give the books after so many dates, or only some of them, told to each date in its order."""
    with founded() as provider:
        for day in range(days):
            if not only or day in only:
                bill(provider, FIRST + timedelta(days=day), chunk)
        assert list(breaches()) == []
        return fingerprint.take()


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("chunk", [1, 7])
def test_the_size_of_chunks_makes_no_difference(chunk):
    assert books_after(3, chunk) == books_after(3)


@pytest.mark.usefixtures("engine")
def test_a_date_billed_twice_is_billed_once():
    with founded() as provider:
        bill(provider, FIRST)
        once = fingerprint.take()
        bill(provider, FIRST)
        assert fingerprint.take() == once


@pytest.mark.usefixtures("engine")
def test_cut_off_at_any_statement_and_run_again_gives_the_same_books(pytestconfig):
    step = 1 if pytestconfig.getoption("--long") else 5
    cut = 1
    with founded(SMALL) as provider:
        whole = _whole(provider)
        while _cut_off_and_again(cut, provider, whole):
            cut += step
    assert cut > 50


def _whole(provider: Provider) -> dict[str, str]:
    with transaction.atomic():
        bill(provider, FIRST, 12)
        books = fingerprint.take()
        transaction.set_rollback(True)
    return books


def _cut_off_and_again(number: int, provider: Provider, whole: dict[str, str]) -> bool:
    with transaction.atomic():
        there = _cut_off_at(number, provider)
        if there:
            bill(provider, FIRST, 12)
            assert fingerprint.take() == whole, f"statement {number}"
        transaction.set_rollback(True)
    return there


def _cut_off_at(number: int, provider: Provider) -> bool:
    """Run until before the statement of a number; tell whether there was one."""
    left = [number]

    def wrapper(execute, sql, params, many, context):
        if "SAVEPOINT" not in sql:
            left[0] -= 1
            if left[0] == 0:
                raise CutOffError
        return execute(sql, params, many, context)

    try:
        with connection.execute_wrapper(wrapper):
            bill(provider, FIRST, 12)
    except CutOffError:
        return True
    return False


@pytest.mark.django_db
@pytest.mark.postgres
def test_both_engines_give_the_same_books(postgres_database):
    on_sqlite = books_after(5)
    with on_postgresql(postgres_database):
        assert books_after(5) == on_sqlite


@pytest.mark.django_db
def test_two_months_ends_keep_every_invariant():
    with founded() as provider:
        for day in range(35):
            on = FIRST + timedelta(days=day)
            bill(provider, on)
            assert list(breaches()) == [], on


@pytest.mark.long
@pytest.mark.django_db
def test_two_years_keep_every_invariant():
    with founded() as provider:
        for day in range(800):
            on = FIRST + timedelta(days=day)
            bill(provider, on)
            if on.day in {1, 28, 29, 31}:
                assert list(breaches()) == [], on
