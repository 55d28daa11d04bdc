"""The books as their user has them: a company's time, killed or not; letters by SMTP."""

from __future__ import annotations

import json
import random
import time
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


def killed_as_often(product: Product, twin: Product, days: int, kills: int) -> None:
    """Let two companies live the same days, one of them killed again and again."""
    words = founded(twin, 48, days)
    took = lived(twin, words)
    assert founded(product, 48, days) == words
    dice = random.Random(days)
    for _ in range(kills):
        process = product.begin(product.venv / "bin" / "billclock", *words)
        time.sleep(dice.uniform(0.3, 0.5 + 2 * took / kills))
        process.kill()
        process.communicate()
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
