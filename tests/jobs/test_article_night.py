"""A night by the article's own lines: imported, run at their minutes, their letters received."""

from __future__ import annotations

import io
import shlex
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from billclock import clock
from billclock.billing import closing, fingerprint, invoicing, paying, storing, verifying
from billclock.billing.catalog import Module
from billclock.billing.clients import Account
from billclock.billing.invoices import Invoice
from billclock.billing.notifications import Notice
from billclock.billing.payments import Payment, PaymentMethod, StoredMethod
from billclock.billing.processing.base import Action, Order
from billclock.billing.processing.simulated.module import FILE
from billclock.billing.processing.simulated.panel import Panel
from billclock.billing.provider import Closing, Provider
from billclock.billing.services import Reason, RenewalSwitch, Service
from billclock.commands import billmaintain, databases
from billclock.cron.importing import take
from billclock.outbox.delivery import deliver
from billclock.outbox.models import Message, State
from billclock.scheduler import output
from billclock.scheduler.executors import base
from billclock.scheduler.executors.inline import InlineExecutor
from billclock.scheduler.loop import Loop
from billclock.scheduler.models import Outcome, Run
from billclock.scheduler.roster import Roster, jobs
from billclock.scheduler.tables import Tables
from tests.billing.charged import charge
from tests.billing.company import House, assert_books_agree, balance
from tests.outbox.relay import Relay

pytestmark = [pytest.mark.django_db(databases=["default", "scheduler"])]

ARTICLE = (Path(__file__).parents[1] / "data" / "article.txt").read_bytes()
EVENING = datetime(2026, 11, 30, 23, 59, tzinfo=UTC)
FIRST = date(2026, 12, 1)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
NIGHT = {
    "recurring": ["00:01"],
    "autosuspend": ["00:02", "01:02", "02:02", "03:02"],
    "billdaily": ["00:15"],
    "autoprolong_disabled_for_items": ["00:30"],
    "warnupdateexpiredate": ["01:00"],
    "clean_stalled_stored_methods": ["02:00"],
    "close_accounts": ["02:15"],
    "payment_generate_postpaid": ["02:25"],
    "send_notification": ["03:00"],
}

SUMMARIES = {
    "recurring 00:01": "acme-gmbh-P1: 11.90 EUR paid, 1 services renewed",
    "autosuspend 00:02": "acme: nothing is stopped now: nothing was billed yet",
    "billdaily 00:15": "2 renewed (23.80 EUR), 1 without money, 0 not to be renewed",
    "autoprolong_disabled_for_items 00:30": "1 letters written (renewal_off 1)",
    "warnupdateexpiredate 01:00": "1 letters written (expiring 1)",
    "autosuspend 01:02": "0 paid and running, 1 stopped, 0 closed, 0 told first",
    "clean_stalled_stored_methods 02:00": "acacme-3-S1-",
    "close_accounts 02:15": "1 documents closed by its rule (days), over 11.90 EUR",
    "payment_generate_postpaid 02:25": "acme 2026-11: 1 invoices written (35.70 EUR)",
    "send_notification 03:00": "3 letters written (finance_monthly 3)",
    "autosuspend 03:02": "0 paid and running, 0 stopped, 0 closed, 0 told first",
}
LETTERS = (
    ("card", "€11.90 received for account acacme-1", "€11.90 arrived by Card"),
    ("card", "Renewed: acme-s1 (Monthly)", "acme-s1 (Monthly) (until January 1, 2027): €11.90"),
    ("funded", "Renewed: acme-s2 (Monthly)", "The balance is now €8.10."),
    ("poor", "Not renewed for lack of money: acme-s3 (Monthly)", "Please add at least €6.90."),
    ("poor", "acme-s3 (Monthly) was stopped", "It runs again once €11.90 are on the balance."),
    (
        "switched",
        "Automatic renewal of acme-s4 (Monthly) is off",
        "was switched off on November 30, 2026 by client: moving away.",
    ),
    ("ending", "acme-s5 (Monthly) ends in 2 days", "is paid until December 3, 2026."),
    ("later", "Invoice 2026-000002: €35.70", "It is due on December 15, 2026."),
    ("later", "Account acacme-6: your month in money", "You owe €59.50."),
    (
        "later",
        "Account acacme-6: your month in money",
        (
            "- 2026-000001 (due on December 4, 2026): €11.90\n"
            "- 2026-000002 (due on December 15, 2026): €35.70"
        ),
    ),
)


def by_our_command(order: base.Order) -> base.Ending:
    """Run an order as the program does that the article names, on the clock that is set."""
    program, *words = shlex.split(order.command.decode())
    assert program == "/usr/local/mgr5/sbin/billmaintain"
    printed = io.StringIO()
    with redirect_stdout(printed), redirect_stderr(printed):
        code = billmaintain.main(words)
    output.write_all(order.run, printed.getvalue().encode())
    return base.Ending(order.run, clock.now(), code=code)


def table() -> bytes:
    """Import the article and give the lines of the jobs this is about."""
    lines = take(ARTICLE, fix=True).data.splitlines(keepends=True)
    names = (line.partition(b"--command ")[2].partition(b" ")[0].decode() for line in lines)
    return b"".join(line for line, name in zip(lines, names, strict=True) if name in NIGHT)


def lived(relay: Relay, until: datetime) -> None:
    """Let the scheduler's loop go from minute to minute, letters leaving at each."""
    roster = Roster(EVENING.timestamp())
    loop = Loop(roster, InlineExecutor(by_our_command), host="here")
    for held in Tables():
        roster.replace(held.name, jobs(held.load()))
    now = EVENING
    while now < until:
        now += MINUTE
        with clock.at(now):
            loop.tick(now)
            loop.attempts.attend()
            loop.records.flush()
            if Message.objects.filter(state=State.QUEUED).exists():
                deliver()


@dataclass
class Town:
    """A company in which each of the jobs finds something to do: an account or object for each."""

    house: House
    panel: Panel

    def __post_init__(self) -> None:
        Module.objects.update(plugin="simulated")
        Provider.objects.update(grace_days=0)
        self.house.company.closing, self.house.company.closing_days = Closing.DAYS, 11
        self.house.company.save()
        self.card = PaymentMethod.objects.create(
            code="card", name="Card", plugin="simulated", provider=self.house.provider,
            currency_id="EUR",
            settings={"faults": "none", "seed": "1", "page": "https://gateway.example"},
        )  # fmt: skip
        self.by_card = self.service("card@client.example")
        self.funded = self.service("funded@client.example", money=20_00)
        self.poor = self.service("poor@client.example", money=5_00)
        self.switched = self.service("switched@client.example", FIRST + 9 * DAY, auto_renew=False)
        self.ending = self.service("ending@client.example", FIRST + 2 * DAY, auto_renew=False)
        self.stall()
        self.later, self.old = self.invoiced()

    def account(self, email: str, money: int = 0, kind: Account.Kind = Account.Kind.PREPAID):
        return self.house.account(money, kind, client=self.house.client(email))

    def service(
        self, email: str, paid_until: date = FIRST, money: int = 0, **given: object
    ) -> Service:
        made = self.house.service(self.account(email, money), paid_until=paid_until, **given)  # type: ignore[arg-type]
        self.panel.carry_out(Action.OPEN, Order(f"open {made.pk}", EVENING, made.number, ""))
        if not made.auto_renew and paid_until > FIRST + 5 * DAY:
            RenewalSwitch.objects.create(
                service=made, on=False, at=EVENING, by="client", why="moving away"
            )
        return made

    def stall(self) -> None:
        """Give one client a card, and let another never come back from the gateway's page."""
        account = self.by_card.account
        card = paying.gateway(self.card).peer.card(clock.now(), account.number)  # type: ignore[attr-defined]
        stored = StoredMethod.objects.create(
            client=account.client, method=self.card, state=StoredMethod.State.USABLE,
            changed_at=clock.now(), setup_key="card", token=card["token"],
            gateway_account=card["account"], masked=card["label"],
        )  # fmt: skip
        Service.objects.filter(pk=self.by_card.pk).update(stored_method=stored)
        with clock.at(EVENING - DAY):
            storing.begin(self.poor.account, self.card, "https://us.example")

    def invoiced(self) -> tuple[Account, Invoice]:
        """Let an account pay afterwards for November; give it, and an invoice of before."""
        account = self.account("later@client.example", kind=Account.Kind.POSTPAID)
        charge(self.house, account, 30_00, on=date(2026, 11, 12))
        old = charge(self.house, account, 10_00, on=date(2026, 10, 5))
        draft = invoicing.draft(account, self.house.company, [old], key="by hand")
        return account, invoicing.issue(draft, date(2026, 11, 20))

    def shows_the_night(self) -> None:
        """Assert what the books hold of the jobs' work."""
        paid = Payment.objects.get(stored__isnull=False)
        assert (paid.amount_minor, paid.state) == (11_90, Payment.State.CREDITED)
        ends = {one.pk: one.paid_until for one in Service.objects.all()}
        january = date(2027, 1, 1)
        assert [ends[self.by_card.pk], ends[self.funded.pk]] == [january, january]
        assert [ends[self.poor.pk], ends[self.ending.pk]] == [FIRST, FIRST + 2 * DAY]
        assert balance(self.funded.account) == 8_10
        self.poor.refresh_from_db()
        assert self.poor.stopped_for == Reason.MONEY
        assert self.panel.times(Action.SUSPEND, self.poor.number) == 1
        assert [stored.setup_key for stored in StoredMethod.objects.all()] == ["card"]
        self.old.refresh_from_db()
        assert (self.old.state, self.old.closed_on) == (Invoice.State.CLOSED, FIRST)
        assert closing.place(self.old).read_bytes().startswith(b"%PDF")
        (new,) = Invoice.objects.exclude(pk=self.old.pk)
        assert (new.number, new.total_minor, new.lines.count()) == ("2026-000002", 35_70, 1)
        assert_books_agree()
        assert list(verifying.breaches()) == []


@pytest.fixture
def town(engine: str, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Town:
    monkeypatch.setenv("TZ", "UTC")
    settings.HOME = settings.DATA = tmp_path
    settings.RUN_OUTPUTS = tmp_path / "runs"
    settings.SPOOL = tmp_path / "spool"
    settings.PUBLIC_URL = "https://clock.example"
    (tmp_path / databases.STAMP).write_text(databases.wanted())
    settings.SPOOL.mkdir()
    (settings.SPOOL / "root").write_bytes(table())
    with clock.at(EVENING):
        return Town(House(), Panel(tmp_path / FILE))


def printed() -> Iterator[tuple[str, str, str]]:
    """Give of every run by the table: its job, its minute, its whole output."""
    for run in Run.objects.select_related("slot__entry").order_by("id"):
        told = output.read(run.pk).data.decode()
        assert (run.outcome, run.exit_code) == (Outcome.SUCCEEDED, 0), told
        name = run.slot.entry.command.split()[2]
        yield name, f"{run.slot.planned:%H:%M}", told


def received(relay: Relay) -> dict[str, dict[str, str]]:
    """Give the mails received, their texts by subject, by who got them."""
    got: dict[str, dict[str, str]] = {}
    for mail in relay.mails:
        text = mail.get_body(("plain",)).get_content()
        got.setdefault(mail["To"].partition("@")[0], {})[mail["Subject"]] = text
    return got


def state() -> tuple[object, ...]:
    """Give what a second run must leave as it is."""
    return fingerprint.take(), Notice.objects.count(), Message.objects.count()


def test_each_of_the_article_s_lines_does_its_work_at_its_minute(
    town: Town, relay: Relay, capsys: pytest.CaptureFixture[str]
):
    lived(relay, datetime(2026, 12, 1, 3, 3, tzinfo=UTC))
    minutes: dict[str, list[str]] = {}
    summaries: dict[str, str] = {}
    for name, minute, told in printed():
        minutes.setdefault(name, []).append(minute)
        summaries[f"{name} {minute}"] = told
    assert minutes == NIGHT
    for run, words in SUMMARIES.items():
        assert words in summaries[run]
    got = received(relay)
    assert sorted(got) == ["card", "ending", "funded", "later", "poor", "switched"]
    for who, subject, words in LETTERS:
        assert words in got[who][subject]
    town.shows_the_night()
    before = state()
    with clock.at(datetime(2026, 12, 1, 3, 30, tzinfo=UTC)):
        for name in NIGHT:
            assert billmaintain.main(["--command", name]) == 0
            assert f"{name}: 0 done" in capsys.readouterr().out
    assert state() == before
