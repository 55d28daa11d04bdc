"""The loop never waits for mail: errands are sent out when something is due, one of a kind."""

from datetime import UTC, datetime, timedelta

import pytest

from billclock import clock
from billclock.outbox.channels import Letter
from billclock.outbox.messages import put
from billclock.scheduler.errands import Errands

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class Boy:
    """Runs errands as far as he tells; `busy` while the last one is still out."""

    def __init__(self):
        self.sent = []
        self.busy = False

    def internal(self, arguments):
        if self.busy:
            return False
        self.sent.append(" ".join(arguments))
        return True


def after(errands, seconds):
    with clock.at(NOON + timedelta(seconds=seconds)):
        errands.run()
        return errands.due_in()


@pytest.fixture
def boy():
    return Boy()


@pytest.fixture
def errands(boy, settings):
    settings.SMTP = "smtp://localhost:2525"
    with clock.at(NOON):
        return Errands(boy)


def test_a_former_daemon_s_mail_goes_out_soon_after_the_start(errands, boy):
    after(errands, 0)
    assert boy.sent == []
    after(errands, 6)
    assert boy.sent == ["deliver"]


def test_nothing_goes_out_where_nothing_is_due(errands, boy):
    after(errands, 6)
    boy.sent.clear()
    for second in range(7, 3000, 60):
        after(errands, second)
    assert [errand for errand in boy.sent if errand != "reckon"] == ["prune"]


def test_the_overview_s_figures_are_reckoned_every_ten_minutes(errands, boy):
    for second in range(10, 1260, 10):
        after(errands, second)
    assert boy.sent.count("reckon") == 3


def test_reports_go_out_at_once_and_again_while_the_last_errand_is_out(errands, boy):
    after(errands, 6)
    boy.sent.clear()
    with clock.at(NOON + timedelta(seconds=20)):
        errands.report_soon()
    boy.busy = True
    assert after(errands, 20) <= 1
    boy.busy = False
    after(errands, 22)
    assert boy.sent == ["deliver"]


def test_without_a_mail_server_reports_are_only_written(errands, boy, settings):
    settings.SMTP = ""
    after(errands, 6)
    assert boy.sent == ["deliver --reports"]


def test_a_message_that_waits_goes_out_when_its_time_comes(errands, boy):
    after(errands, 6)
    boy.sent.clear()
    with clock.at(NOON + timedelta(seconds=30)):
        put(Letter("mail", "a key", ("a@example.test",), clock.now(), subject="s", body="t"))
    after(errands, 70)
    assert boy.sent[0] == "deliver"


def test_the_heartbeat_goes_once_a_minute(errands, boy, settings):
    settings.HEARTBEAT_URL = "http://localhost:1/"
    for second in range(1, 122, 20):
        after(errands, second)
    assert boy.sent.count("deliver --heartbeat") == 3
