"""The books as their user has them: a company's time, killed or not; letters by SMTP."""

from __future__ import annotations

import json
import random
import sqlite3
import time
from contextlib import closing
from datetime import timedelta

import pytest

from billclock import clock
from tests import prepared
from tests.acceptance.product import Product, until
from tests.outbox.relay import Relay, serving

LINES = """\
* * * * * /usr/local/mgr5/sbin/billmaintain --command billdaily >/dev/null 2>&1
* * * * * /usr/local/mgr5/sbin/billmaintain --command warnmoney >/dev/null 2>&1
"""


def books(product: Product) -> dict[str, str]:
    done = product.billclock("verify", "--json")
    told = json.loads(done.stdout)
    assert told["breaches"] == []
    assert done.returncode == 0
    return told["hash"]


def founded(product: Product, services: int, days: int) -> list[str]:
    """Found a company so many days ago and give the words that let it live until today."""
    start = clock.today(clock.server_zone()) - timedelta(days=days)
    done = product.billclock(
        "demo", "--services", str(services), "--days", str(days), "--until", str(start)
    )
    assert done.returncode == 0, done.stderr
    return ["demo", "--until", str(clock.today(clock.server_zone()))]


def lived(product: Product, words: list[str]) -> float:
    began = time.monotonic()
    process = product.begin(product.venv / "bin" / "billclock", *words)
    told, _ = process.communicate(timeout=3600)
    assert process.returncode == 0, told
    return time.monotonic() - began


def pulse(product: Product) -> tuple[object, ...]:
    """Give what changes whenever a job of the books begins."""
    place = product.home / "data" / "billclock.sqlite3"
    with closing(sqlite3.connect(f"file:{place}?mode=ro", uri=True, timeout=30)) as books:
        found = books.execute("SELECT max(started_at), count(*) FROM billing_jobrun")
        return tuple(found.fetchone())


def killed(product: Product, words: list[str], after: float) -> bool:
    """Kill a company's life so many seconds after it went on; tell whether it lived until then."""
    before = pulse(product)
    process = product.begin(product.venv / "bin" / "billclock", *words)
    until(lambda: process.poll() is not None or pulse(product) != before, patience=60)
    time.sleep(after)
    living = process.poll() is None
    process.kill()
    process.communicate()
    return living


def killed_as_often(product: Product, twin: Product, days: int, kills: int) -> None:
    """Let two companies live the same days, one of them killed again and again."""
    words = founded(twin, 48, days)
    took = lived(twin, words)
    assert founded(product, 48, days) == words
    dice, living = random.Random(days), 0
    for _ in range(kills):
        living += killed(product, words, dice.uniform(0, took / kills))
    assert living >= kills * 3 // 4  # else the kills proved nothing: it was through before them
    lived(product, words)
    assert books(product) == books(twin)


@pytest.fixture
def twin(product: Product) -> Product:
    home = product.home.with_name("twin")
    return Product(product.checkout, prepared.copied(home))


def test_days_lived_with_kills_are_days_lived(product: Product, twin: Product) -> None:
    killed_as_often(product, twin, days=2, kills=4)


@pytest.mark.long
def test_a_month_lived_with_fifty_kills_is_a_month_lived(product: Product, twin: Product) -> None:
    killed_as_often(product, twin, days=31, kills=50)


def test_the_article_s_lines_run_at_their_minute_and_their_letters_arrive(
    product: Product,
) -> None:
    words = founded(product, 48, 1)
    lived(product, words)
    with serving(Relay()) as relay:
        product.settings = {"BILLCLOCK_SMTP": relay.url}
        with product.started():
            installed = product.billclock("crontab", "-", stdin=LINES.encode())
            assert installed.returncode == 0, installed.stderr
            until(lambda: relay.mails, patience=180)
    letters = [mail for mail in relay.mails if "client" in str(mail["To"])]
    assert letters
    assert all(mail.get_content_type() == "multipart/alternative" for mail in letters)
    ran = json.loads(product.billclock("runs", "--json").stdout)
    assert {run["outcome"] for run in ran} <= {"succeeded", "running"}
    books(product)
