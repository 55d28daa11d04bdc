"""Functions are found, refused and called by name, and jobs among them run."""

from datetime import UTC, date, datetime

import pytest

from billclock import clock
from billclock.accounts.models import Role
from billclock.api.documents import Document, Kind
from billclock.api.registry import ROOT, Actor, all_functions, call
from billclock.billing import currencies
from billclock.billing.models import Rate
from billclock.jobs import registry as jobs
from billclock.jobs.job import Program
from tests.billing.bank import FILES

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])

UPLOAD = "currencyrate.upload"
FILE = str(FILES / "eurofxref-daily.xml")
VIEWER = Actor("eve@example.org", Role.VIEWER)


@pytest.fixture(autouse=True)
def friday_evening():
    with clock.at(datetime(2026, 11, 20, 18, tzinfo=UTC)):
        yield


def ask(name: str, actor: Actor = ROOT, **params: str) -> Document:
    return call(name, params, actor=actor)


def test_the_articles_line_uploads_the_rate():
    document = ask(UPLOAD, upload="on", sok="ok", plid="153/50", source=FILE)
    assert (document.fault, document.exit_code) == (None, 0)
    assert "USD/EUR: 1 rate stored" in document.write()
    assert Rate.objects.get().on == date(2026, 11, 20)


def test_options_of_a_job_are_parameters():
    document = ask(
        UPLOAD, upload="on", sok="ok", plid="EUR/USD", source=FILE, formula="*2", dry_run="on",
        date="2026-11-21",
    )  # fmt: skip
    assert "2026-11-20: 2.1684" in document.write()
    assert not Rate.objects.exists()


def test_a_failed_job_is_an_error_with_the_codes_of_a_command():
    document = ask(UPLOAD, upload="on", sok="ok", plid="EUR/KWD", source=FILE)
    assert (document.exit_code, document.fault.type, document.fault.object) == (1, "job", "EUR/KWD")
    assert "EUR/KWD" in document.values["failed"]


def test_without_sok_the_pairs_settings_are_shown():
    shown = ask(UPLOAD, VIEWER, plid="153/50")
    assert shown.kind is Kind.FORM
    assert shown.values["source"] == "ecb"
    assert shown.values["last_rate"] == ""


def test_with_sok_alone_the_settings_are_saved():
    assert (
        ask(UPLOAD, sok="ok", plid="153/50", source=FILE, formula="*1.02", guard="7").fault is None
    )
    made = currencies.settings_of(currencies.find_pair("USD/EUR"))
    assert (made.source, made.formula, made.guard) == (FILE, "*1.02", 7)
    assert not Rate.objects.exists()


@pytest.mark.parametrize(
    ("params", "about", "said"),
    [
        ({"plid": "153"}, "plid", "no single /"),
        ({"plid": "153/XYZ"}, "plid", "'XYZ' is no currency"),
        ({"plid": "153/50", "guard": "lots", "sok": "ok"}, "guard", "not a whole number"),
        ({"plid": "153/50", "replce": "on"}, "replce", "there is no parameter 'replce'"),
        ({"plid": "153/50", "date": "today"}, "date", "'today' is not a date, 2026-11-20"),
        ({"plid": "153/50", "upload": "perhaps"}, "upload", "is not on or off"),
        ({"plid": "153/50", "sok": "ok", "formula": "x2"}, UPLOAD, "formula 'x2'"),
    ],
)
def test_a_wrong_parameter_is_named(params: dict[str, str], about: str, said: str):
    document = call(UPLOAD, params, actor=ROOT)
    assert (document.fault.object, document.exit_code) == (about, 1)
    assert said in document.fault.message


def test_parameters_of_every_call_are_passed_over():
    assert ask(UPLOAD, plid="153/50", out="xml", lang="en").fault is None


def test_an_unknown_function_is_told_with_the_one_that_was_meant():
    fault = ask("currencyrate.uplaod").fault
    assert (fault.type, fault.object) == ("query", "currencyrate.uplaod")
    assert "did you mean currencyrate.upload?" in fault.message


def test_every_job_of_mgrctl_has_its_function():
    names = {function.name for function in all_functions()}
    assert names >= {job.name for job in jobs.all_jobs() if job.program is Program.MGRCTL}


@pytest.mark.parametrize("job", ["google.analytics.export", "processing.getconfig"])
def test_a_job_that_is_not_built_says_so(job: str):
    document = ask(job)
    assert document.exit_code == 1
    assert "cannot do it yet; nothing was changed" in document.write()


def test_crontask_runs_the_job_it_names():
    assert ask("crontask", action="collect_usageinfo", date="2026-11-20").exit_code == 0
    assert "cannot do it yet" in ask("crontask", action="processing.checkbalance").write()
    assert ask("crontask").fault.message.startswith("action is missing: give a job's function")
    assert "there are processing.checkbalance" in ask("crontask", action="x").fault.message
