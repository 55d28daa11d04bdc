"""The timeline: what ran and what is to come, clock changes, the load, what if, as a calendar."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from billclock import clock
from billclock.accounts.models import Role
from billclock.scheduler.models import Entry, Outcome, Pause, Slot
from tests.web.conftest import beat, ran

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])
NOON = datetime(2026, 10, 24, 12, 0, 30, tzinfo=UTC)  # a Saturday
HOUR = timedelta(hours=1)

Write = Callable[..., list[Entry]]
SignIn = Callable[..., Client]


@pytest.fixture(autouse=True)
def in_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    with clock.at(NOON):
        beat(NOON)


def shown(client: Client, query: str = "", **headers: str) -> str:
    with clock.at(NOON):
        return client.get(f"/timeline?{query}", headers=headers).content.decode()


def text(page: str) -> str:
    """The words of a page's main part, one blank between pieces."""
    words = re.sub(r"<[^>]*>", " ", page[page.index("<main") :])
    return " ".join(words.split())


def rows(page: str) -> dict[str, list[str]]:
    """The table beside the drawing: each job's cells."""
    body = page[page.index("as-table") :]
    found = {}
    for row in re.findall(r"<tr[^>]*>(<th scope=\"row\">.*?)</tr>", body, re.DOTALL):
        title, *cells = re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)
        found[title] = cells
    return found


def lane(page: str, title: str) -> str:
    """The part of the drawing that belongs to one job."""
    titles = re.findall(r'<span class="cut">(.*?)</span>', page)
    parts = re.findall(r'<svg y="\d+" width="100%" height="30">(.*?)\n?(?=<line|</svg>\n<svg y)',
                       page, re.DOTALL)  # fmt: skip
    return parts[titles.index(title)]


def test_a_day_shows_what_ran_and_what_is_to_come(table: Write, signed_in: SignIn) -> None:
    (job, _) = table("## hourly\n30 * * * * /bin/a\n## off\n#0 9 * * * /bin/b\n")
    good = ran(job, NOON - HOUR / 2, 60)
    bad = ran(job, NOON - 1.5 * HOUR, outcome="failed", exit_code=1)
    page = shown(signed_in())
    assert rows(page)["hourly"] == [
        "At 30 minutes past every hour", "2", "1", "18", "Today 12:30",
    ]  # fmt: skip
    assert rows(page)["off"][3] == "off"
    own = lane(page, "hourly")
    assert f'href="/runs/{good.pk}" aria-label="hourly: 11:30, succeeded, 1 min"' in own
    assert f'href="/runs/{bad.pk}" aria-label="hourly: 10:30, failed, 1.0 s"' in own
    assert own.count("v14h-") == 16, "those to come in the 16 hours ahead"
    assert 'class="now" x="50' not in page
    assert "now 12:00" in text(page)


def test_those_to_come_are_as_long_as_usual_with_a_whisker(table: Write, signed_in: SignIn) -> None:
    (job,) = table("## nightly\n0 18 * * * /bin/a\n")
    for day, minutes in enumerate([60] * 18 + [240, 240], 2):
        ran(job, datetime(2026, 10, 24, 18, tzinfo=UTC) - day * 24 * HOUR, minutes * 60)
    own = lane(shown(signed_in()), "nightly")
    begin = 14 / 24 * 10_000  # the day begins at 04:00
    width = (18 * 60 + 480) / 20 / 60 / 24 * 10_000
    assert f"M{begin:.0f} 8h{width:.0f}v14" in own
    assert f"M{begin + width:.0f} 15H{begin + 4 / 24 * 10_000:.0f}" in own


def test_a_job_that_runs_all_the_time_is_a_band_with_what_went_wrong(
    table: Write, signed_in: SignIn
) -> None:
    (job,) = table("## minutely\n* * * * * /bin/a\n")
    for minutes in range(1, 30):
        at = NOON.replace(second=0) - timedelta(minutes=minutes)
        outcome = Outcome.FAILED if minutes == 7 else Outcome.SUCCEEDED
        slot = Slot.objects.create(entry=job, planned=at, claimed_at=at, outcome=outcome)
        run = ran(job, at, outcome=outcome, slot=slot)
        if minutes == 7:
            bad = run
    own = lane(shown(signed_in()), "minutely")
    assert 'class="stream ran"' in own
    assert 'class="stream due"' in own
    assert re.findall(r'href="([^"]+)"', own) == [f"/runs/{bad.pk}"]


def test_a_run_that_goes_on_reaches_up_to_now(table: Write, signed_in: SignIn) -> None:
    (job,) = table("## long\n0 9 * * * /bin/a\n")
    ran(job, NOON - 3 * HOUR, outcome="", finished=None, exit_code=None)
    own = lane(shown(signed_in()), "long")
    assert 'class="now"' in own
    assert "running" in own


def test_missed_and_skipped_moments_are_hollow(table: Write, signed_in: SignIn) -> None:
    (job,) = table("## job\n0 * * * * /bin/a\n")
    at = NOON.replace(second=0) - HOUR
    Slot.objects.create(
        entry=job, planned=at, first_planned=at - 3 * HOUR, count=4, claimed_at=at,
        outcome=Outcome.MISSED,
    )  # fmt: skip
    ran(job, at - 5 * HOUR, outcome=Outcome.SKIPPED, started=None, finished=None)
    page = shown(signed_in())
    assert "warn none" in lane(page, "job")
    assert "off none" in lane(page, "job")
    assert rows(page)["job"][1:3] == ["0", "5"]


def test_a_pause_lies_over_all_lanes(table: Write, signed_in: SignIn) -> None:
    table("0 * * * * /bin/a\n")
    Pause.objects.create(since=NOON - 2 * HOUR, until=NOON - HOUR, actor="a")
    Pause.objects.create(since=NOON - 300 * HOUR, until=NOON - 200 * HOUR, actor="a")
    client = signed_in()
    page = shown(client)
    assert page.count('class="band paused') == 1
    assert "paused until" not in text(page).partition("Job starts")[0], "it is over"
    Pause.objects.create(since=NOON - HOUR / 2, until=NOON + HOUR, actor="a")
    assert "paused until today 13:00" in text(shown(client)).partition("Job starts")[0]


def test_the_hour_that_comes_twice_is_told_and_who_does_not_run_again(
    table: Write, signed_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    table("## fixed\n15 2 * * * /bin/a\n## always\n*/30 * * * * /bin/b\n")
    client = signed_in()
    page = shown(client, "at=2026-10-24T16:00")
    assert "02:00 to 03:00 comes twice" in text(page)
    assert 'class="band twice"' in page
    assert "not again" in lane(page, "fixed")
    assert "not again" not in lane(page, "always")
    assert rows(page)["always"][3] == "50", "the day has 25 hours"
    hour = text(shown(client, "zoom=hour&at=2026-10-25T02:00%2B02:00"))
    assert "02:00 to 03:00 comes twice" in hour
    assert "Sun 25 Oct 02:00 +02 – Sun 25 Oct 02:00 +01" in hour
    week = shown(client, "zoom=week&at=2026-10-20T00:00")
    assert re.findall(r'y="46">(\d\d)', week) == ["00", "06", "12", "18"] * 7
    assert [label for label in ("02 +02", "02 +01") if label in page] == ["02 +02", "02 +01"]


def test_the_hour_that_is_left_out_is_told_and_what_runs_after_it(
    table: Write, signed_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    table("## fixed\n15 2 * * * /bin/a\n")
    page = shown(signed_in(), "at=2027-03-27T20:00")
    assert "02:00 to 03:00 is left out" in text(page)
    assert "instead of 02:15" in lane(page, "fixed")
    assert rows(page)["fixed"][3:] == ["1", "Sun 28 Mar 03:00"]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("zoom=hour", "Sat 24 Oct 11:40 – Sat 24 Oct 12:40"),
        ("zoom=week", "Thu 22 Oct 00:00 – Thu 29 Oct 00:00"),
        ("zoom=day&at=2026-10-01T06:00", "Thu 1 Oct 06:00 – Fri 2 Oct 06:00"),
        ("zoom=eon&at=yesterday", "Sat 24 Oct 04:00 – Sun 25 Oct 04:00"),
        ("at=0001-01-01T00:00", "Sat 24 Oct 04:00"),
        ("at=9999-12-31T23:59", "Sat 24 Oct 04:00"),
    ],
)
def test_any_zoom_and_moment_has_its_range(
    table: Write, signed_in: SignIn, query: str, words: str
) -> None:
    table("0 * * * * /bin/a\n")
    assert words in text(shown(signed_in(), query))


def test_one_goes_earlier_and_later_by_what_is_shown(table: Write, signed_in: SignIn) -> None:
    table("0 * * * * /bin/a\n")
    page = shown(signed_in(), "zoom=week&at=2026-10-05T00:00")
    assert "at=2026-09-28T00%3A00" in page
    assert "at=2026-10-12T00%3A00" in page


def test_the_load_names_its_peak_and_the_week_its_starts(table: Write, signed_in: SignIn) -> None:
    table("0 18 * * * /bin/a\n0 18 * * * /bin/b\n*/10 * * * * /bin/c\n")
    words = text(shown(signed_in()))
    assert "peak 3 at 18:00" in words
    # 1008 of every ten minutes, the one of now included no more, and two a day
    assert "1,022 starts , no more than 3 in one minute, first on Sat 24 Oct 18:00" in words


def test_a_range_is_simulated(table: Write, signed_in: SignIn) -> None:
    table("## often\n0 * * * * /bin/a\n## seldom\n0 3 1 * * /bin/b\n")
    words = text(shown(signed_in(), "from=2026-11-01&until=2026-11-30"))
    assert "Sun 1 Nov 2026 – Mon 30 Nov 2026: 721 starts, peak 2 at Sun 1 Nov 03:00" in words
    assert "often ×720 seldom ×1" in words


@pytest.mark.parametrize(
    "query", ["from=2026-11-02&until=2026-11-01", "from=2026-01-01&until=2027-01-01", "from=x"]
)
def test_a_range_that_is_none_is_said(table: Write, signed_in: SignIn, query: str) -> None:
    table("0 * * * * /bin/a\n")
    assert "A range is two days in their order" in text(shown(signed_in(), query))


def test_what_is_not_saved_is_a_lane_of_its_own(table: Write, signed_in: SignIn) -> None:
    table("0 * * * * /bin/a\n")
    page = shown(signed_in(), "what=30+13+*+*+*")
    assert list(rows(page)) == ["What if: Every day at 13:30", "a"]
    assert 'class="due what"' in lane(page, "What if: Every day at 13:30")


def test_what_cannot_be_read_is_said_with_its_mend(table: Write, signed_in: SignIn) -> None:
    table("0 * * * * /bin/a\n")
    words = text(shown(signed_in(), "what=5+0+*+0+*"))
    assert "month: 0 is out of range 1-12 (column 7)" in words


def test_a_quiet_minute_is_proposed(table: Write, signed_in: SignIn) -> None:
    table("0 1 * * * /bin/a\n1 1 * * * /bin/b\n")
    page = shown(signed_in(), "quiet=01:00")
    assert "00:59 is quiet: near 01:00, nothing else starts then all week." in text(page)
    assert "<code>59 0 * * *</code>" in page
    assert 'href="/entries/new?table=root&amp;expression=59%200%20%2A%20%2A%20%2A"' in page
    assert "/entries/new" not in shown(signed_in(Role.OPERATOR), "quiet=01:00")
    assert "A time of day is written as" in shown(signed_in(Role.VIEWER), "quiet=25:00")


def test_jobs_are_put_together_by_tag(table: Write, signed_in: SignIn) -> None:
    table(
        "# billclock: tags=night\n0 18 * * * /bin/a\n# billclock: tags=night,money\n"
        "0 19 * * * /bin/b\n0 20 * * * /bin/c\n"
    )
    found = rows(shown(signed_in(), "by=tag"))
    assert {title: cells[3] for title, cells in found.items()} == {
        "money": "1",
        "night": "2",
        "without a tag": "1",
    }


def test_a_month_is_a_calendar_with_the_worst_of_each_day(table: Write, signed_in: SignIn) -> None:
    (job,) = table("0 6 * * * /bin/a\n")
    ran(job, datetime(2026, 10, 20, 6, tzinfo=UTC))
    ran(job, datetime(2026, 10, 21, 6, tzinfo=UTC), outcome="failed")
    ran(job, datetime(2026, 10, 21, 7, tzinfo=UTC))
    at = datetime(2026, 10, 22, 6, tzinfo=UTC)
    Slot.objects.create(entry=job, planned=at, claimed_at=at, outcome=Outcome.MISSED)
    page = shown(signed_in(), "zoom=month")
    days = dict(re.findall(r'aria-label="\w+ (\d+) October">(.*?)</td>', page, re.DOTALL))
    words = {day: " ".join(re.sub(r"<[^>]*>", " ", cell).split()) for day, cell in days.items()}
    assert len(words) == 31
    assert words["20"] == "20 1 run"
    assert words["21"] == "21 2 runs failed 1"
    assert words["22"] == "22 missed 1"
    assert words["24"] == "24"
    assert words["25"] == "25 1 to come"
    assert "October 2026" in text(page)


def test_an_agenda_tells_what_comes_and_what_did_not_go_well(
    table: Write, signed_in: SignIn
) -> None:
    (job, _, _) = table("## one\n0 18 * * * /bin/a\n## two\n0 2 * * * /bin/b\n* * * * * /bin/c\n")
    run = ran(job, NOON - HOUR, outcome="failed")
    page = shown(signed_in())
    part = text("<main" + page[page.index('class="agenda"') : page.index("as-table")])
    assert f'<a href="/runs/{run.pk}">one</a>' in page
    assert "Today 18:00 one in 5 h 59 min Sunday 25 October 02:00 two" in part
    assert "Too often to list: c ×" in part


def test_the_calendar_holds_each_coming_run(table: Write, signed_in: SignIn) -> None:
    (job, _) = table("## Zahlungen, täglich; früh\n0 6 * * * /bin/a\n* * * * * /bin/often\n")
    ran(job, NOON - 30 * HOUR, 600)
    with clock.at(NOON):
        answer = signed_in().get("/timeline.ics")
    assert answer.headers["Content-Type"].startswith("text/calendar")
    lines = answer.content.decode().split("\r\n")
    assert (lines[0], lines[-2:]) == ("BEGIN:VCALENDAR", ["END:VCALENDAR", ""])
    assert all(len(line.encode()) <= 75 for line in lines)
    whole = answer.content.decode().replace("\r\n ", "")
    assert whole.count("BEGIN:VEVENT") == 31
    assert "DTSTART:20261025T060000Z\r\nDTEND:20261025T061000Z" in whole
    assert "SUMMARY:Zahlungen\\, täglich\\; früh\r\n" in whole
    assert "X-WR-CALDESC:Left out\\, they run too often: often" in whole
    assert whole.index("X-WR-CALDESC") < whole.index("BEGIN:VEVENT"), "RFC 5545, 3.6"
    uids = re.findall(r"UID:(.*)\r", whole)
    assert len(set(uids)) == 31


def test_nobody_sees_another_table_or_its_load(table: Write, signed_in: SignIn) -> None:
    table("0 18 * * * /bin/mine\n")
    (theirs,) = table("0 18 * * * /bin/theirs\n", "www-data")
    ran(theirs, NOON - HOUR, 5)
    client = signed_in(Role.VIEWER, "root")
    page = shown(client)
    assert "theirs" not in page
    assert "peak 1 at 18:00" in text(page)
    assert "peak 2 at 18:00" in text(shown(signed_in()))
    for path in ("/timeline?table=www-data", "/timeline.ics?table=www-data"):
        assert client.get(path).status_code == 404
        assert Client().get(path).status_code == 302


def test_without_jobs_the_page_says_so(signed_in: SignIn) -> None:
    page = shown(signed_in())
    assert "No jobs for root yet" in page
    assert "0 starts" in text(page)


def test_hostile_text_is_text(table: Write, signed_in: SignIn) -> None:
    evil = '"><script>alert(1)</script>\u202e'
    table(f"## {evil}\n# billclock: tags={evil.replace(' ', '')}\n0 * * * * /bin/a\n")
    client = signed_in()
    for query in ("", "by=tag", "zoom=month", "what=<script>alert(1)</script>", "quiet=<script>"):
        page = shown(client, query)
        assert "<script>alert" not in page
        assert "\u202e" not in page


def test_more_lanes_than_fit_are_paged(table: Write, signed_in: SignIn) -> None:
    table("".join(f"{n % 60} {n % 24} * * * /bin/job{n}\n" for n in range(95)))
    client = signed_in()
    assert [len(rows(shown(client, f"page={n}"))) for n in ("1", "2", "3", "99", "x")] == [
        *(40, 40, 15, 15, 40)
    ]


def test_a_thousand_jobs_take_as_many_queries_as_one(table: Write, signed_in: SignIn) -> None:
    def counted(query: str) -> int:
        with (
            CaptureQueriesContext(connections["scheduler"]) as one,
            CaptureQueriesContext(connections["default"]) as other,
        ):
            shown(client, query)
        return len(one) + len(other)

    client = signed_in()
    table("0 * * * * /bin/a\n* * * * * /bin/b\n")
    shown(client)
    few = [counted(query) for query in ("", "zoom=week", "zoom=month")]
    lines = [f"{n % 60} */{n % 5 + 1} * * * /bin/job{n}\n" for n in range(998)]
    table("0 * * * * /bin/a\n* * * * * /bin/b\n" + "".join(lines))
    for job in Entry.objects.all()[:60]:
        ran(job, NOON - HOUR, 5)
    assert [counted(query) for query in ("", "zoom=week", "zoom=month")] == few


def test_it_speaks_russian(table: Write, signed_in: SignIn) -> None:
    table("0 * * * * /bin/a\n")
    page = shown(signed_in(), **{"accept-language": "ru"})
    assert "Шкала времени" in page
    assert "Предстоящая неделя" in page


def test_one_job_is_shown_alone_and_stays_so_at_every_zoom(table: Write, signed_in: SignIn) -> None:
    hourly, daily = table("## hourly\n30 * * * * /bin/a\n## daily\n0 9 * * * /bin/b\n")
    ran(hourly, NOON - HOUR / 2, 60)
    ran(daily, NOON - 3 * HOUR, 60)
    client = signed_in()
    page = shown(client, f"entry={daily.pk}")
    assert list(rows(page)) == ["daily"]
    assert f"table=root&amp;entry={daily.pk}&amp;zoom=week" in page
    assert f'name="entry" value="{daily.pk}"' in page, "what is asked of it keeps it"
    assert "All jobs" in text(page)
    month = text(shown(client, f"zoom=month&entry={daily.pk}"))
    assert "1 run " in month
    assert "2 runs" not in month


def test_a_job_of_another_table_is_not_shown_alone(table: Write, signed_in: SignIn) -> None:
    table("## hourly\n30 * * * * /bin/a\n")
    client = signed_in()
    for entry in ("0", "-1", "x", "99999999999999999999"):
        assert list(rows(shown(client, f"entry={entry}"))) == ["hourly"]


def test_a_pause_of_a_tag_or_of_a_job_lies_in_its_lanes(table: Write, signed_in: SignIn) -> None:
    shop, night = table("## shop\n# billclock: tags=shop\n0 * * * * /bin/a\n"
                        "## night\n0 * * * * /bin/b\n")  # fmt: skip
    until = NOON + 3 * HOUR
    Pause.objects.create(scope="tag:shop", since=NOON - HOUR, until=until)
    client = signed_in()
    page = shown(client)
    assert "paused until today 15:00" in lane(page, "shop")
    assert "paused" not in lane(page, "night")
    assert "paused until today 15:00" in rows(page)["shop"][0]
    Pause.objects.create(scope=f"entry:{night.pk}", since=NOON - HOUR)
    assert "paused" in lane(shown(client), "night")
    assert shop.pk != night.pk


def test_what_is_asked_keeps_the_moment_that_is_shown(table: Write, signed_in: SignIn) -> None:
    table("## nightly\n0 3 * * * /bin/a\n")
    page = shown(signed_in(), "zoom=hour&at=2026-10-26T03:00&by=tag")
    assert page.count('name="at" value="2026-10-26T03:00"') == 3
    assert page.count('name="by" value="tag"') == 3


def test_what_is_not_saved_counts_in_the_load_and_says_when_it_is_next(
    table: Write, signed_in: SignIn
) -> None:
    table("## nightly\n15 12 * * * /bin/a\n")
    client = signed_in()
    page = shown(client, "zoom=hour&what=15+12+*+*+*")
    assert "peak 2 at 12:15" in text(page)
    assert 'class="what"' in lane(page, "What if: Every day at 12:15")
    page = shown(client, "zoom=hour&what=15+18+*+*+*")
    assert "next today 18:15" in lane(page, "What if: Every day at 18:15")


def test_what_still_runs_is_told_however_much_failed_since(table: Write, signed_in: SignIn) -> None:
    job, long = table("## often\n0 * * * * /bin/a\n## long\n0 0 1 1 * /bin/b\n")
    ran(long, NOON - 4 * HOUR, outcome="", finished=None)
    for n in range(12):
        ran(job, NOON - HOUR - timedelta(minutes=n), outcome=Outcome.FAILED)
    page = shown(signed_in())
    told = page[page.index("Not well, or running") : page.index("To come")]
    assert "long" in told
    assert told.count("often") == 10


def test_the_starts_to_come_are_those_of_the_lanes(table: Write, signed_in: SignIn) -> None:
    table("* * * * * /bin/c\n", "www-data")
    job, _ = table("## BILLmanager daily\n0 18 * * * /bin/a\n## b\n* * * * * /bin/b\n")
    client = signed_in()
    assert "· 960 starts to come" in text(shown(client, "table=root")), "of root alone"
    page = shown(client, f"entry={job.pk}")
    assert "· 1 start to come" in text(page)
    assert '<span class="cut">daily</span>' in page
