"""billdaily as its line runs it: each missed date in its order, limits that ask, a dry run."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import transaction

from billclock import clock
from billclock.billing import fingerprint, progress
from billclock.billing.catalog import Price
from billclock.billing.errors import BillingError
from billclock.billing.ledger import Seal
from billclock.billing.progress import JobRun, Parked, Watermark
from billclock.billing.services import Outcome, Service, Verdict
from billclock.jobs import registry
from billclock.jobs.report import Exit, Report
from tests.billing.company import TODAY, House, balance, noon

pytestmark = pytest.mark.django_db


def run(on: date = TODAY, **options: object) -> Report:
    with clock.at(noon(on)):
        return registry.perform("billdaily", on=on, **options)


def house_of(services: int = 2) -> House:
    house = House()
    for _ in range(services):
        house.service(house.account(500_00))
    return house


def test_a_date_is_billed_once_and_its_summary_says_what():
    house_of()
    first, again = run(), run()
    assert first.exit_code == Exit.DONE
    assert "2 renewed (23.80 EUR)" in first.text()
    assert "done already, nothing was changed" in again.text()
    assert again.done == 0
    assert Verdict.objects.count() == 2


def test_missed_dates_are_done_in_their_order_and_give_the_books_of_daily_runs():
    def books(days: list[int]) -> dict[str, str]:
        house = House()
        house.service(house.account(500_00), "daily")
        house.service(house.account(12_00))
        for day in days:
            run(TODAY + timedelta(days=day))
        return fingerprint.take()

    taken = []
    for days in ([0, 1, 2, 3, 4], [0, 4]):
        with transaction.atomic():
            taken.append(books(days))
            transaction.set_rollback(True)
    assert taken[0] == taken[1]


def test_many_dates_at_once_ask_first_and_go_on_once_somebody_allowed_it():
    house_of()
    run()
    later = TODAY + timedelta(days=20)
    refused = run(later)
    assert refused.exit_code == Exit.FAILED
    assert "20 dates" in refused.text()
    assert Watermark.objects.get().on == TODAY
    stopped = JobRun.objects.get(state=JobRun.State.STOPPED)
    progress.allow(stopped, "ada@example.org")
    assert run(later).exit_code == Exit.DONE
    assert Watermark.objects.get().on == later


def test_confirm_lets_a_limit_pass():
    house_of()
    run()
    assert run(TODAY + timedelta(days=20), confirm=True).exit_code == Exit.DONE


def test_a_price_beyond_belief_leaves_the_date_before_the_watermark():
    house = house_of(12)
    run(TODAY - timedelta(days=1))
    house.price(house.products["monthly"], 1_000_00, since=TODAY)
    told = run()
    assert told.exit_code == Exit.FAILED
    assert "beyond belief" in told.text()
    assert Watermark.objects.get().on == TODAY - timedelta(days=1)
    assert not Verdict.objects.filter(outcome=1).exists()


def test_a_dry_run_compares_with_the_last_and_changes_nothing():
    house = house_of()
    run(TODAY - timedelta(days=1))
    before = fingerprint.take()
    told = run(dry_run=True)
    assert "2 would be renewed" in told.text()
    assert "compared with 2026-11-19: hosting: 0.00 -> 23.80 EUR" in told.text()
    assert fingerprint.take() == before
    assert JobRun.objects.count() == 1
    assert house.provider.pk


def test_explain_says_what_came_of_a_service_on_a_date():
    house = house_of(1)
    run()
    number = house.provider.accounts.get().services.get().number
    assert "renewed" in run(explain=number).text()
    assert run(explain="nobody").exit_code == Exit.FAILED


def test_the_day_before_is_sealed_once_every_provider_is_through():
    house_of()
    run()
    assert Seal.objects.get().on == TODAY - timedelta(days=1)


def test_two_providers_are_billed_apart():
    poor, rich = House(code="poor"), House(code="rich")
    account = rich.account(50_00)
    rich.service(account)
    poor.service(poor.account(1_00))
    told = run()
    assert "poor 2026-11-20: 0 renewed" in told.text()
    assert "rich 2026-11-20: 1 renewed" in told.text()
    assert balance(account) == 50_00 - 11_90


def test_a_date_that_has_not_begun_asks_first_and_leaves_nothing_behind():
    house_of()
    with clock.at(noon(TODAY)):
        tomorrow = TODAY + timedelta(days=1)
        told = registry.perform("billdaily", on=tomorrow)
        assert "2026-11-21 has not begun: acme has 2026-11-20" in told.text()
        assert not JobRun.objects.exists()
        rehearsed = registry.perform("billdaily", on=tomorrow, dry_run=True)
        assert "it would stop and ask first: 2026-11-21 has not begun" in rehearsed.text()
        confirmed = registry.perform("billdaily", on=tomorrow, confirm=True)
        assert confirmed.exit_code == Exit.DONE


def test_many_prices_that_are_gone_stop_the_run_until_somebody_allows_it():
    house_of(12)
    run(TODAY - timedelta(days=1))
    Price.objects.filter(months=1).delete()
    told = run()
    assert told.exit_code == Exit.FAILED
    assert "12 services due on 2026-11-20 have no price any more: 12 of acme-monthly" in told.text()
    progress.allow(JobRun.objects.get(state=JobRun.State.STOPPED), "ada@example.org")
    assert run().exit_code == Exit.DONE
    assert JobRun.objects.get(on=TODAY).figures["counts"]["not_priced"] == 12
    # what was allowed once is no news on the day after
    assert run(TODAY + timedelta(days=1)).exit_code == Exit.DONE


def test_an_answer_of_the_morning_holds_for_the_run_of_the_night():
    house_of()
    run()
    later = TODAY + timedelta(days=20)
    run(later)
    progress.allow(JobRun.objects.asking().get(), "ada@example.org")
    assert run(later + timedelta(days=1)).exit_code == Exit.DONE
    assert not JobRun.objects.open().exists()


def test_an_answer_of_long_ago_does_not_hold():
    house_of()
    run()
    later = TODAY + timedelta(days=20)
    run(later)
    progress.allow(JobRun.objects.asking().get(), "ada@example.org")
    assert run(later + timedelta(days=4)).exit_code == Exit.FAILED


def test_only_a_run_that_waits_can_be_allowed_and_only_once():
    house_of()
    run()
    done = JobRun.objects.get()
    with pytest.raises(BillingError, match=r"billdaily acme 2026-11-20 is done and waits for no"):
        progress.allow(done, "ada@example.org")
    run(TODAY + timedelta(days=20))
    asking = JobRun.objects.asking().get()
    progress.allow(asking, "ada@example.org")
    with pytest.raises(BillingError, match=r"was allowed by ada@example.org"):
        progress.allow(asking, "eve@example.org")


def test_a_released_account_is_billed_again():
    house = house_of(1)
    service = Service.objects.get()
    run_before = progress.begin("billdaily", house.provider, TODAY - timedelta(days=1))
    parked = Parked.objects.create(
        account=service.account, reason="odd", since=clock.now(), run=run_before
    )
    run()
    assert not service.verdicts.exists()
    progress.release(parked)
    with pytest.raises(BillingError, match="parked no more"):
        progress.release(parked)
    run(TODAY + timedelta(days=1))
    assert service.verdicts.get().outcome == Outcome.RENEWED


def test_of_a_job_that_asks_each_day_only_the_last_question_waits():
    house_of()
    run()
    for days in (20, 21, 22):
        run(TODAY + timedelta(days=days))
    assert JobRun.objects.asking().get().on == TODAY + timedelta(days=22)
