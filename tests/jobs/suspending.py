"""A company whose services are stopped and resumed while days pass, as `autosuspend` sees it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings

from billclock import clock
from billclock.billing.catalog import Module
from billclock.billing.clients import Account
from billclock.billing.payments import Attempt, Payment, PaymentMethod
from billclock.billing.processing.base import Action, Order
from billclock.billing.processing.simulated.module import FILE
from billclock.billing.processing.simulated.panel import Panel
from billclock.billing.services import Service
from billclock.jobs import registry
from billclock.jobs.report import Exit, Report
from billclock.outbox.delivery import deliver
from tests.billing.company import TODAY, House
from tests.outbox.relay import Relay, serving

both_engines = pytest.mark.usefixtures("engine")


@dataclass
class Story:
    """A company, its mail relay, and the days as they pass."""

    house: House
    relay: Relay
    panel: Panel

    def at(self, day: int = 0, hour: int = 12, minute: int = 2) -> datetime:
        """Give a moment of a day after TODAY."""
        return datetime.combine(TODAY + timedelta(days=day), time(hour, minute), UTC)

    def service(
        self, account: Account, product: str = "monthly", paid_until: date = TODAY,
        **given: object,
    ) -> Service:  # fmt: skip
        """Give a running service that is there at the panel too."""
        made = self.house.service(account, product, paid_until, **given)  # type: ignore[arg-type]
        self.panel.carry_out(Action.OPEN, Order(f"open {made.pk}", self.at(-99), made.number, ""))
        return made

    def bill(self, day: int = 0) -> Report:
        """Bill a day as the crontab does, and let its letters leave."""
        with clock.at(self.at(day, 0, 15)):
            report = registry.perform("billdaily", on=clock.today())
            deliver()
        assert not report.failed
        return report

    def run(self, day: int = 0, hour: int = 12, **how: bool) -> Report:
        with clock.at(self.at(day, hour)):
            report = registry.perform("autosuspend", on=clock.today(), **how)
            if not how:
                deliver()
        return report

    def days(self, first: int, last: int) -> None:
        """Let days pass: billed at night, services looked after at noon."""
        for day in range(first, last + 1):
            self.bill(day)
            assert self.run(day).exit_code is Exit.DONE

    def explain(self, service: Service, day: int = 0, hour: int = 12) -> str:
        with clock.at(self.at(day, hour)):
            report = registry.perform("autosuspend", on=clock.today(), explain=service.number)
        assert not report.failed
        return "\n".join(report.lines)


@pytest.fixture
def story(
    settings: LazySettings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Story]:
    monkeypatch.setenv("TZ", "UTC")
    settings.DATA = tmp_path
    settings.HOME = tmp_path
    settings.PUBLIC_URL = "https://clock.example"
    with serving(Relay()) as relay:
        settings.SMTP = relay.url
        house = House()
        Module.objects.update(plugin="simulated")
        yield Story(house, relay, Panel(tmp_path / FILE))


def stopped(service: Service) -> int:
    """Give what a service is stopped for by now, the sum of its reasons."""
    service.refresh_from_db()
    return service.stopped_for


def fly(story: Story, account: Account) -> Attempt:
    method = PaymentMethod.objects.create(
        code="card", name="Card", plugin="simulated", provider=story.house.provider,
        currency_id="EUR",
    )  # fmt: skip
    payment = Payment.objects.create(
        key="p1", number="P1", account=account, method=method, amount_minor=11_90,
        created_at=story.at(), created_on=TODAY,
    )  # fmt: skip
    return Attempt.objects.create(
        payment=payment, number=1, key="k1", amount_minor=11_90, state=Attempt.State.SENT,
        created_at=story.at(),
    )  # fmt: skip
