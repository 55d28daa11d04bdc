"""Modules asked for use: what is told is recorded, whatever a panel does billing goes on."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from billclock import clock
from billclock.billing import operations, readings, usage
from billclock.billing.catalog import AddOn, Module
from billclock.billing.charges import ChargeKind
from billclock.billing.errors import ProcessingError
from billclock.billing.explaining import explain_service
from billclock.billing.processing.base import Features, Order, Use
from billclock.billing.processing.simulated.faults import Fault
from billclock.billing.processing.simulated.module import Simulated
from billclock.billing.processing.simulated.panel import Panel
from billclock.billing.services import Reading, Service, Status
from billclock.billing.usage import UsageRound
from billclock.commands import billmaintain
from billclock.jobs import registry
from billclock.jobs.report import Exit, Report
from tests.billing.company import TODAY, House, assert_books_agree, noon

pytestmark = pytest.mark.usefixtures("engine")

Answering = Callable[[Sequence[Order]], Iterable[Any]]


class Site:
    """A provider whose monthly service has a metered disk, and the panel it runs on."""

    def __init__(self, services: int = 1) -> None:
        self.house = House(tax_ppm=0)
        product = self.house.products["monthly"]
        self.module = Module.objects.create(code="panel", plugin="simulated")
        product.module = self.module
        product.save()
        self.house.addon(
            product, over_micro=1_000_000, billing=AddOn.Billing.USED, included=10
        )  # fmt: skip
        until = TODAY + timedelta(days=20)
        self.services = [
            self.house.service(self.house.account(500_00), paid_until=until)
            for _ in range(services)
        ]

    @property
    def panel(self) -> Panel:
        module = operations.module_of(self.module)
        assert isinstance(module, Simulated)
        return module.panel

    def ask(self, on: date = TODAY, *, again: bool = False, minutes: int = 0) -> UsageRound:
        with clock.at(noon(on) + timedelta(minutes=minutes)):
            return usage.ask(self.module, self.house.provider, on, again=again)


@pytest.fixture
def folder(settings: Settings, tmp_path: Path) -> Path:
    settings.DATA = tmp_path
    return tmp_path


@pytest.fixture
def site(folder: Path) -> Site:
    return Site()


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Callable[[Answering], None]:
    """Let a module of a plugin's author answer, in whatever way."""

    def let(usage_: Answering) -> None:
        class Plugin:
            features = Features(measures=True)

            def usage(self, asked: Sequence[Order]) -> Iterable[Any]:
                return usage_(asked)

        monkeypatch.setattr(operations, "module_of", lambda _module: Plugin())

    return let


def levels(service: Service) -> list[int]:
    found = Reading.objects.filter(service=service).order_by("at")
    return list(found.values_list("amount", flat=True))


def billdaily(on: date = TODAY, **options: str) -> Report:
    with clock.at(noon(on)):
        return registry.perform("billdaily", on=on, confirm=True, options=options)


def test_what_a_panel_tells_is_recorded_once(site: Site) -> None:
    (service,) = site.services
    site.panel.use(service.number, "disk", 14)
    done = site.ask()
    assert (done.asked, done.changed, done.silent, done.error) == (1, 1, 0, "")
    assert site.ask(minutes=5) == done
    assert site.ask(again=True, minutes=9).changed == 0
    site.panel.use(service.number, "disk", 9)
    assert site.ask(again=True, minutes=20).changed == 1
    assert levels(service) == [14, 9]


def test_the_day_after_is_charged_by_what_was_told(site: Site) -> None:
    (service,) = site.services
    site.panel.use(service.number, "disk", 14)
    for day in range(3):
        report = billdaily(TODAY + timedelta(days=day))
        assert report.exit_code is Exit.DONE, report.text()
    charged = service.charges.filter(kind=ChargeKind.OVERAGE).order_by("period_start")
    days = [(TODAY + timedelta(days=day), 4_00) for day in (1, 2)]
    assert list(charged.values_list("period_start", "net_minor")) == days
    told = [fact.text for fact in explain_service(service.number, TODAY).facts]
    assert "disk: 14 in use at 2026-11-20 12:00 UTC" in told
    assert "1 services asked about, 1 levels new" in told
    assert_books_agree()


@pytest.mark.parametrize("fault", [Fault.TEMPORARY, Fault.PERMANENT])
def test_a_panel_that_is_down_keeps_no_bill_back_and_is_asked_again(
    site: Site, fault: Fault
) -> None:
    (service,) = site.services
    site.panel.use(service.number, "disk", 14)
    site.ask(TODAY - timedelta(days=1))
    site.panel.fail(fault, fault)
    report = billdaily()
    assert report.exit_code is Exit.FAILED
    assert "no connection" in report.failed["acme use of panel"]
    assert service.charges.filter(kind=ChargeKind.OVERAGE).get().net_minor == 4_00
    round_ = UsageRound.objects.get(on=TODAY)
    assert round_.finished_at is None
    if fault is Fault.PERMANENT:  # the first call used one of the two
        site.ask()
    done = site.ask()
    assert (done.finished_at is not None, done.error) == (True, "")


def test_one_failure_that_may_pass_is_no_failure(site: Site) -> None:
    site.panel.fail(Fault.TEMPORARY)
    assert site.ask().error == ""


@pytest.mark.parametrize("after", [0, 2, 4])
def test_a_round_that_was_cut_off_goes_on_where_it_stood(
    folder: Path, monkeypatch: pytest.MonkeyPatch, answers: Callable[[Answering], None], after: int
) -> None:
    monkeypatch.setattr(usage, "AT_ONCE", 2)
    site = Site(services=5)
    seen: list[str] = []
    down = [after]

    def tell(asked: Sequence[Order]) -> Iterable[Use]:
        if len(seen) == down[0]:
            raise ProcessingError("panel", "it burns", retry=False)
        seen.extend(order.service for order in asked)
        return [Use(order.service, "disk", 3) for order in asked]

    answers(tell)
    broken = site.ask()
    assert (broken.asked, broken.finished_at) == (after, None)
    assert "it burns" in broken.error
    down[0] = -1
    done = site.ask(minutes=7)
    assert (done.asked, done.changed, done.error) == (5, 5, "")
    assert seen == [service.number for service in site.services]


def test_a_kill_between_readings_of_a_batch_writes_none_twice(
    folder: Path, monkeypatch: pytest.MonkeyPatch, answers: Callable[[Answering], None]
) -> None:
    site = Site(services=3)
    answers(lambda asked: [Use(order.service, "disk", 3) for order in asked])
    real, calls = readings.record, itertools.count()

    def killed(*given: Any) -> Reading:
        if next(calls) == 2:
            raise KeyboardInterrupt
        return real(*given)

    with monkeypatch.context() as cut:
        cut.setattr(readings, "record", killed)
        with pytest.raises(KeyboardInterrupt):
            site.ask()
    done = site.ask(minutes=3)
    assert (done.asked, done.changed, done.finished_at is None) == (3, 1, False)
    assert [levels(service) for service in site.services] == [[3], [3], [3]]


def test_a_panel_that_hangs_is_left_behind(
    site: Site, settings: Settings, answers: Callable[[Answering], None]
) -> None:
    settings.USAGE_TIMEOUT = 0.05
    free = Event()
    answers(lambda _asked: [free.wait(30)])
    report = billdaily()
    free.set()
    assert "no answer within 0.05 s" in report.failed["acme use of panel"]
    assert report.figures


def test_a_panel_that_is_slow_is_asked_for_so_long_only(
    folder: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch,
    answers: Callable[[Answering], None],
) -> None:  # fmt: skip
    monkeypatch.setattr(usage, "AT_ONCE", 1)
    site = Site(services=3)
    settings.USAGE_SECONDS = 0
    answers(lambda asked: time.sleep(0.01) or [Use(asked[0].service, "disk", 1)])  # type: ignore[func-returns-value]
    done = site.ask()
    assert "the next run goes on" in done.error
    assert done.asked < 3
    settings.USAGE_SECONDS = 900
    assert site.ask(minutes=1).asked == 3


AT = noon(TODAY)
GARBAGE = [
    (None, "None is no reading"),
    ({"service": "S"}, "is no reading"),
    (Use("S-of-nobody", "disk", 1), "was not asked about"),
    (Use(["x"], "disk", 1), "was not asked about"),  # type: ignore[arg-type]
    (("disk", -1), "-1 cannot be in use"),
    (("disk", 10**30), "cannot be in use"),
    (("disk", True), "True of disk is no whole number"),
    (("disk", "7"), "'7' of disk is no whole number"),
    (("disk", 1.5), "1.5 of disk is no whole number"),
    (("ram", 7), "'ram' is no add-on that is measured"),
    (("disk", 7, datetime(2026, 11, 20)), "is no moment with a zone"),
    (("disk", 7, "now"), "is no moment with a zone"),
    (("disk", 7, AT + timedelta(hours=1)), "is yet to come"),
    (("disk", 7, datetime.min.replace(tzinfo=AT.tzinfo)), "before any meter"),
]


@pytest.mark.parametrize(("given", "said"), GARBAGE)
def test_garbage_is_told_and_what_is_sound_beside_it_counts(
    folder: Path, answers: Callable[[Answering], None], given: Any, said: str
) -> None:
    site = Site(services=2)
    first, second = site.services
    bad = Use(first.number, *given) if isinstance(given, tuple) else given
    answers(lambda _asked: [bad, Use(second.number, "disk", 5)])
    done = site.ask()
    assert (done.refused, done.error, done.finished_at is None) == (1, "", False)
    assert said in done.refusals[0]
    assert (levels(first), levels(second)) == ([], [5])


@pytest.mark.parametrize("answer", [None, 7, object()])
def test_an_answer_that_is_no_list_cuts_the_round_off(
    site: Site, answers: Callable[[Answering], None], answer: Any
) -> None:
    answers(lambda _asked: answer)
    report = billdaily()
    assert "TypeError" in report.failed["acme use of panel"]
    assert UsageRound.objects.get().finished_at is None


def test_an_answer_without_end_is_cut(site: Site, answers: Callable[[Answering], None]) -> None:
    answers(lambda _asked: ("no" for _ in itertools.count()))
    done = site.ask()
    assert (done.refused, len(done.refusals)) == (usage.MOST_TOLD, usage.MOST_NAMED)


def test_moments_of_a_panels_own_are_kept_in_their_order(
    site: Site, answers: Callable[[Answering], None]
) -> None:
    (service,) = site.services
    hours = [AT - timedelta(hours=hour) for hour in (1, 3, 2)]
    answers(lambda _asked: [Use(service.number, "disk", hour.hour, hour) for hour in hours])
    assert site.ask().changed == 3
    assert levels(service) == [9, 10, 11]


def test_who_is_not_told_of_keeps_his_level_and_is_counted(site: Site) -> None:
    done = site.ask()
    assert (done.asked, done.silent, done.error) == (1, 1, "")
    assert not Reading.objects.exists()


def test_only_services_that_are_there_are_asked_about(
    folder: Path, answers: Callable[[Answering], None]
) -> None:
    site = Site(services=2)
    Service.objects.filter(pk=site.services[0].pk).update(status=Status.DELETED)
    seen: list[str] = []
    answers(lambda asked: seen.extend(order.service for order in asked) or [])  # type: ignore[func-returns-value]
    site.ask()
    assert seen == [site.services[1].number]


def test_modules_that_measure_nothing_and_days_gone_by_are_not_asked(site: Site) -> None:
    assert [module.code for module in usage.modules(site.house.provider)] == ["panel"]
    with clock.at(noon(TODAY + timedelta(days=1))):
        registry.perform("billdaily", on=TODAY, confirm=True)
    registry.perform("billdaily", on=TODAY, dry_run=True)
    assert not UsageRound.objects.exists()
    Module.objects.update(plugin="manual")
    site.module.refresh_from_db()
    assert list(usage.modules(site.house.provider)) == []


def test_wrong_settings_of_a_module_are_told(site: Site) -> None:
    Module.objects.update(settings={"faults": "many"})
    report = billdaily()
    assert "faults" in report.failed["acme use of panel"]


def test_use_alone_is_asked_for_as_often_as_one_likes(site: Site) -> None:
    (service,) = site.services
    for level in (3, 4, 4):
        site.panel.use(service.number, "disk", level)
        with clock.at(noon(TODAY) + timedelta(hours=level)):
            report = registry.perform("billdaily", on=TODAY, options={"only": "usage"})
        assert report.exit_code is Exit.DONE, report.text()
    assert levels(service) == [3, 4]
    assert service.verdicts.count() == 0
    assert "nothing was changed" not in billdaily().text()
    report = registry.perform("billdaily", on=TODAY, options={"only": "lunch"})
    assert "there is usage" in report.text()


@pytest.mark.django_db(databases=["default", "scheduler"])
def test_the_command_asks_for_use_alone(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    (service,) = site.services
    site.panel.use(service.number, "disk", 3)
    code = billmaintain.main(["--command", "billdaily", "--only", "usage"])
    assert code == Exit.DONE
    assert "1 services asked about, 1 levels new, 0 not told of" in capsys.readouterr().out
    assert levels(service) == [3]
