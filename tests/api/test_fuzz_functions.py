"""Named functions called with anything: always a well-formed document, never our own mistake."""

import json
from xml.etree import ElementTree as ET

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from billclock.accounts.models import User
from billclock.api.registry import ROOT, all_functions, call
from tests.api.conftest import World

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])

JOBS = {"crontask", "currencyrate.upload"}  # they would ask the banks of the world
LIKELY = {
    "elid": ["1", "2"], "table": ["root", "sam", "new", "/etc/crontab"], "sok": ["ok", "yes"],
    "expression": ["@daily", "*/5 * * * *", "0 0 30 2 *"], "command": ["/bin/true", "a%b"],
    "number": ["1", "2"], "plid": ["USD/EUR", "153/50"], "value": ["0.9", "-1", "1e-30"],
    "run_every": ["day", "week", "minutes", "reboot"], "hour": ["4"], "minute": ["5"],
    "every": ["10"], "username": ["ann@example.net"], "mailto": ["a@b.c", "a\nb"],
    "outcome": ["failed", "running"], "zone": ["Europe/Berlin", "UTC"],
}  # fmt: skip
HOSTILE = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        ["", "0", "-1", "9" * 25, "\x00", "\udcff", "<script>", "../..", "2026-11-20", "NaN",
         "0001-01-01T00:00+14:00", "9999-12-31T23:59-14:00", "on", "1,2,3", "٣", "1_0", " 1 "]
    ),
)  # fmt: skip


@pytest.mark.parametrize("name", [f.name for f in all_functions() if f.name not in JOBS])
def test_a_function_answers_whatever_it_is_asked(name: str, world: World) -> None:
    User.objects.create_user("ann@example.net")
    known = next(one for one in all_functions() if one.name == name).parameters
    likely = {key: st.sampled_from(LIKELY.get(key, ["1"])) for key in known}
    params = st.fixed_dictionaries(
        {}, optional={key: st.one_of(likely[key], likely[key], HOSTILE) for key in known}
    )

    @seed(1)
    @settings(
        max_examples=25,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(params=params)
    def attack(params: dict[str, str]) -> None:
        document = call(name, params, actor=ROOT)
        assert document.fault is None or document.fault.type != "internal", document.fault
        json.loads(document.write("json").encode())
        ET.fromstring(document.write("xml"))

    attack()
