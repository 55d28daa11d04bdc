"""The main job on real input: the article imported, in force, its jobs run at their minute."""

import re
import time
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from tests.acceptance.product import ROOT, Product, until
from tests.outbox.relay import Relay, serving

ARTICLE = ROOT / "tests/data/article.txt"
IMPORTED = (ROOT / "tests/data/article-imported.crontab").read_bytes()
RATES = ROOT / "tests/data/rates/eurofxref-daily.xml"
PANEL = "/usr/local/mgr5"  # is not there: its programs are found all the same

UPLOAD = (
    f"{PANEL}/sbin/mgrctl -m billmgr currencyrate.upload upload=on sok=ok plid=153/50 "
    f"date=2026-11-20 source={RATES}"
)
USAGE = f"{PANEL}/sbin/mgrctl -m billmgr collect_usageinfo sok=ok"
FAILING = "cat; echo to stderr >&2; exit 3%line one%line two"
QUIET = " >/dev/null 2>&1"
MINUTELY = f"""
MAILTO=ops@example.org
SHOP_PASSWORD=very secret
## Rates of the day
* * * * * {UPLOAD}
## Figures, without a mail
* * * * * {USAGE}{QUIET}
## A job that fails
* * * * * {FAILING}
"""


def test_the_article_is_imported_with_its_mends_and_its_jobs_run_at_their_minute(
    product: Product,
) -> None:
    assert not Path(PANEL).exists()
    with serving(Relay()) as relay:
        product.settings = {"BILLCLOCK_SMTP": relay.url, "TZ": "Europe/Berlin"}
        with product.started() as up:
            _import_the_article(product)
            _add_minutely_jobs(product)
            rates, usage, failing = _the_minute_s_runs(product)
            mails = until(lambda: _to_ops(relay, 2))
            _check_run(rates, code=0)
            _check_run(usage, code=0)
            _check_run(failing, code=3)
            assert b"USD/EUR: 1 rate stored" in product.output(rates["run"])
            assert b"collect_usageinfo: " in product.output(usage["run"])
            assert product.output(failing["run"]) == b"line one\nline two\nto stderr\n"
            _check_mails(mails)
            shown = product.mgrctl("currencyrate.upload", "plid=153/50")
            assert b"last_rate=0.922339" in shown.stdout
            assert b"last_date=2026-11-20" in shown.stdout
            assert len(relay.mails) == len({mail["Message-ID"] for mail in relay.mails})
    assert "Traceback" not in up.text


def _import_the_article(product: Product) -> None:
    done = product.billclock("import", ARTICLE)
    told = done.stdout.decode()
    assert done.returncode == 0
    figures = (
        "found 23, taken 14, repaired spaces 5, repaired other 3, repaired prompt 1, dropped 1"
    )
    assert figures in told
    assert "14 entries put into the table root; 8 repaired lines only with --fix" in told
    assert until(lambda: product.in_force() == 14)
    assert product.billclock("crontab", "-r").returncode == 0
    assert until(lambda: product.in_force() == 0)
    told = product.billclock("import", ARTICLE, "--fix").stdout.decode()
    assert figures in told
    assert told.count("a command without a schedule") == 2
    assert re.search(r"line 95: noted: a wrong example.*month: 0 is out of range 1-12", told)
    assert "line 282: dropped: line 134 has the same command at the same time" in told
    assert "22 entries put into the table root." in told
    assert until(lambda: product.in_force() == 22)
    assert product.billclock("crontab", "-l").stdout == IMPORTED


def _add_minutely_jobs(product: Product) -> None:
    while time.time() % 60 >= 57:  # noqa: TID251 - the table shall be in force before its minute
        time.sleep(0.2)
    product.install(IMPORTED + MINUTELY.encode())
    assert until(lambda: product.in_force() == 25)


def _the_minute_s_runs(product: Product) -> list[dict[str, Any]]:
    """Wait for the next minute's runs to end, and give those of the three jobs in their order."""
    wanted = [UPLOAD, USAGE + QUIET, FAILING]

    def ended() -> list[dict[str, Any]] | None:
        rows = [row for row in product.runs("-n", "60") if row["outcome"] != "running"]
        found = [
            min((row for row in rows if row["command"] == command), key=_number, default=None)
            for command in wanted
        ]
        return None if None in found else [row for row in found if row]

    time.sleep(60 - time.time() % 60)  # noqa: TID251
    return list(until(ended, 20))


def _number(row: dict[str, Any]) -> int:
    return int(row["run"])


def _check_run(row: dict[str, Any], *, code: int) -> None:
    assert row["outcome"] == ("failed" if code else "succeeded")
    assert (row["exit_code"], row["signal"], row["trigger"]) == (code, None, "schedule")
    planned, started = (datetime.fromisoformat(row[name]) for name in ("planned", "started"))
    assert planned.second == planned.microsecond == 0
    late = (started - planned).total_seconds()
    print(f"started {1000 * late:.1f} ms after its minute")  # noqa: T201 - a figure to read
    assert 0 <= late < 5
    assert row["cpu"] >= 0
    assert row["memory"] > 500  # KiB
    assert row["output_size"] > 0
    assert (row["table"], row["user"], row["attempt"], row["moments"]) == ("root", "root", 1, 1)


def _to_ops(relay: Relay, count: int) -> list[EmailMessage] | None:
    """Give the mails to the three jobs' MAILTO, once there are so many."""
    found = [mail for mail in relay.mails if mail["To"] == "ops@example.org"]
    return found if len(found) >= count else None


def _check_mails(mails: list[EmailMessage]) -> None:
    about = {mail["Subject"].partition("> ")[2].partition(" ")[0]: mail for mail in mails}
    assert set(about) == {f"{PANEL}/sbin/mgrctl", "cat;"}  # none of the quiet one
    for mail in mails:
        assert re.match(r"Cron <root@\S+> ", mail["Subject"])
        assert mail["Auto-Submitted"] == "auto-generated"
        assert mail["From"].startswith("root@") or "<root@" in mail["From"]
        variables = mail.get_all("X-Cron-Env")
        assert "<MAILTO=ops@example.org>" in variables
        assert "<LOGNAME=root>" in variables
        assert "<SHOP_PASSWORD=***>" in variables
    rates = about[f"{PANEL}/sbin/mgrctl"].get_content()
    assert "USD/EUR: 1 rate stored" in rates
    failure = about["cat;"]
    assert failure["Subject"].endswith("(failed, exit code 3)")
    told = failure.get_content()
    assert "line one\nline two\nto stderr\n" in told
    assert "A job that fails" in told
    for fact in ("Planned: ", "Started: ", "Host: "):
        assert fact in told
