"""Settings of a method: every fault is told at once, by field."""

from pathlib import Path

import pytest

from billclock.billing.configuration import Field, Kind, Surroundings, read
from billclock.billing.errors import PluginSettingsError
from billclock.billing.payment_methods.offered import kinds, make
from tests.contracts.paying import Clock

FIELDS = (
    Field("number", "a number", Kind.NUMBER, default="5"),
    Field("kind", "which", Kind.CHOICE, choices=("a", "b")),
    Field("at", "where", Kind.ADDRESS, required=False),
    Field("even", "even", required=False, check=lambda text: "" if text == "2" else "not 2"),
)


def test_what_is_given_or_the_default_is_read():
    read_ = read("m", FIELDS, {"kind": " a ", "at": "https://x.test/"})
    assert read_ == {"number": "5", "kind": "a", "at": "https://x.test/", "even": ""}


@pytest.mark.parametrize(
    ("given", "field", "fault"),
    [
        ({}, "kind", "missing"),
        ({"kind": "c"}, "kind", "none of a, b"),
        ({"number": "1.5"}, "number", "not a whole number"),
        ({"number": "٣"}, "number", "not a whole number"),
        ({"at": "ftp://x"}, "at", "not an address"),
        ({"at": "http://["}, "at", "not an address"),
        ({"even": "3"}, "even", "not 2"),
        ({"even": "x" * 501}, "even", "more than 500"),
        ({"even": "a\x00"}, "even", "unprintable"),
        ({"odd": "1"}, "odd", "no such setting"),
    ],
)
def test_a_fault_names_its_field(given: dict[str, str], field: str, fault: str):
    with pytest.raises(PluginSettingsError) as caught:
        read("m", FIELDS, given)
    assert fault in caught.value.faults[field]


def test_all_faults_are_told_at_once():
    with pytest.raises(PluginSettingsError) as caught:
        read("m", FIELDS, {"number": "x", "odd": "1"})
    assert set(caught.value.faults) == {"number", "kind", "odd"}


def test_a_kind_that_does_not_exist_is_told_with_those_that_do(tmp_path: Path):
    with pytest.raises(PluginSettingsError, match="bank_transfer, simulated, stripe"):
        make("paypol", {}, Surroundings(Clock(), tmp_path))
    assert list(kinds()) == ["bank_transfer", "simulated", "stripe"]


@pytest.mark.parametrize(
    ("name", "given", "field"),
    [
        ("stripe", {"secret_key": "pk_test", "signing_secret": "whsec_1"}, "secret_key"),
        ("stripe", {"secret_key": "sk_test", "signing_secret": "1"}, "signing_secret"),
        ("bank_transfer", {"beneficiary": "A", "account": "DE89370400440532013001"}, "account"),
        ("simulated", {"faults": "some"}, "faults"),
    ],
)
def test_methods_check_their_own(name: str, given: dict[str, str], field: str, tmp_path: Path):
    with pytest.raises(PluginSettingsError) as caught:
        make(name, given, Surroundings(Clock(), tmp_path))
    assert list(caught.value.faults) == [field]
