"""The panel's functions on the live scheduler, and the panel's paths under any cron."""

import json
import subprocess
from typing import Any

import pytest

from tests.acceptance.product import ROOT, Done, Product, until

RATES = ROOT / "tests/data/rates/eurofxref-daily.xml"
BASIC = {
    "description": "Nightly greeting",
    "schedule_type": "type_basic",
    "run_every": "day",
    "hour": "1",
    "minute": "5",
    "active": "on",
    "hideout": "on",
}
EXPERT = {
    "schedule_type": "type_expert",
    "input_min": "*/20",
    "input_hour": "6-18",
    "input_dmonth": "*",
    "input_month": "1-4",
    "input_dweek": "mon-fri",
}


def call(product: Product, function: str, **given: str) -> dict[str, Any]:
    """Call a function that shall succeed; give its document."""
    done = called(product, function, **given)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout)["doc"])


def called(product: Product, function: str, **given: str) -> Done:
    return product.mgrctl("-o", "json", function, *(f"{k}={v}" for k, v in given.items()))


def test_entries_are_made_changed_switched_run_and_deleted(product: Product) -> None:
    with product.started():
        basic = call(product, "scheduler.edit", sok="ok", command="echo good night", **BASIC)[
            "elid"
        ]
        expert = call(product, "scheduler.edit", sok="ok", command="exit 4", **EXPERT)["elid"]
        table = (
            b"## Nightly greeting\n5 1 * * * echo good night >/dev/null 2>&1\n"
            b"*/20 6-18 * 1-4 mon-fri exit 4\n"
        )
        assert product.billclock("crontab", "-l").stdout == table
        assert until(lambda: product.in_force() == 2, 1)

        form = call(product, "scheduler.edit", elid=basic)
        assert {name: form[name] for name in BASIC} == BASIC
        call(product, "scheduler.edit", elid=basic, sok="ok", hour="2", minute="5", **_daily())
        assert table.replace(b"5 1", b"5 2") == product.billclock("crontab", "-l").stdout

        call(product, "scheduler.suspend", elid=f"{basic},{expert}")
        assert until(lambda: product.in_force() == 0, 1)
        run = int(call(product, "run", elid=basic)["run"])  # switched off it runs all the same
        (row,) = until(lambda: product.runs("--outcome", "succeeded"))
        assert (row["run"], row["exit_code"], row["trigger"]) == (run, 0, "api")
        assert product.output(run) == b"good night\n"
        call(product, "scheduler.resume", elid=expert)
        assert until(lambda: product.in_force() == 1, 1)
        call(product, "run", elid=expert)
        assert until(lambda: product.runs("--entry", expert, "--outcome", "failed"))

        bad = {**EXPERT, "input_month": "0-3"}
        refused = called(product, "scheduler.edit", sok="ok", command="exit 4", **bad)
        assert refused.returncode == 1
        assert b"out of range 1-12" in refused.stderr
        assert called(product, "scheduler.delete", elid="99").returncode == 1
        call(product, "scheduler.delete", elid=basic)
        assert product.billclock("crontab", "-l").stdout == table.splitlines(keepends=True)[2]


def _daily() -> dict[str, str]:
    return {name: BASIC[name] for name in ("schedule_type", "run_every")}


@pytest.mark.parametrize(
    "shell",
    [
        pytest.param(["/bin/sh"], id="sh"),
        pytest.param(["busybox", "sh"], id="busybox", marks=pytest.mark.busybox),
    ],
)
def test_the_panel_s_paths_give_under_any_cron_what_the_scheduler_gives(
    product: Product, tmp_path_factory: pytest.TempPathFactory, shell: list[str]
) -> None:
    panel = tmp_path_factory.mktemp("panel") / "mgr5"
    assert product.billclock("shims", panel).returncode == 0
    upload = "currencyrate.upload upload=on sok=ok plid=153/50 date=2026-11-20"
    calls = [
        f"sbin/mgrctl -m billmgr {upload} source={RATES} dry_run=on",
        "sbin/billmaintain --command bildaily",
        "notify/ntsms --command stop",
    ]
    lines = [f"{folder}/{words}" for words in calls for folder in ("/usr/local/mgr5", panel)]
    product.install("".join(f"0 0 1 1 * {line}\n" for line in lines).encode())
    with product.started():
        keys = {command: row["key"] for command, row in product.entries().items()}
        for words, code in zip(calls, (0, 2, 2), strict=True):
            cron = subprocess.run(
                [*shell, "-c", f"{panel}/{words}"],
                env={"PATH": "/usr/bin:/bin", "HOME": "/root", "SHELL": "/bin/sh"},
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, cwd="/",
            )  # fmt: skip
            assert cron.returncode == code, cron.stdout
            assert cron.stdout
            for folder in ("/usr/local/mgr5", panel):
                run = product.ask("run-now", entry=int(keys[f"{folder}/{words}"]))["run"]
                until(lambda: not product.ask("status")["running"])
                assert product.output(run) == cron.stdout
        codes = until(lambda: _codes(product, len(lines)))
        assert codes == [2, 2, 2, 2, 0, 0]


def _codes(product: Product, count: int) -> list[int] | None:
    codes = [row["exit_code"] for row in product.runs()]
    return codes if len(codes) == count and None not in codes else None
