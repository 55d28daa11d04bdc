"""Documents are the panel's, in each of their forms, whatever text they hold."""

import json
from xml.etree import ElementTree as ET

import pytest

from billclock.api.documents import Document, Fault, Kind, Output

LIST = Document("scheduler", Kind.LIST, rows=[{"key": "1", "command": "a b"}, {"key": "2"}])
FORM = Document("scheduler.prop", Kind.FORM, values={"mailto": "a@b.c", "path": "/bin /usr/bin"})
DONE = Document("scheduler.delete", Kind.ACTION)
FAULT = Document(
    "x", Kind.ACTION, fault=Fault("exists", "user", "Ann", "there is an Ann already"), exit_code=1
)


def test_a_list_has_a_line_a_row():
    assert LIST.write() == "key=1 command=a b\nkey=2"
    assert json.loads(LIST.write("json"))["doc"]["elem"] == [
        {"key": "1", "command": "a b"},
        {"key": "2"},
    ]
    doc = ET.fromstring(LIST.write("xml"))
    assert [elem.findtext("key") for elem in doc.findall("elem")] == ["1", "2"]


def test_a_form_has_a_line_a_field():
    assert FORM.write() == "mailto=a@b.c\npath=/bin /usr/bin"
    assert ET.fromstring(FORM.write("devel")).findtext("path") == "/bin /usr/bin"


def test_a_done_action_is_ok():
    assert DONE.write() == "OK"
    assert ET.fromstring(DONE.write("xml")).find("ok") is not None
    assert json.loads(DONE.write("json"))["doc"]["ok"] is True


def test_an_error_names_type_object_and_value():
    assert FAULT.write() == (
        "ERROR Type: 'exists' Object: 'user' Value: 'Ann'\nthere is an Ann already"
    )
    error = ET.fromstring(FAULT.write("xml")).find("error")
    assert (error.get("type"), error.get("object")) == ("exists", "user")
    assert error.find("param[@name='value']").text == "Ann"
    assert error.findtext("msg") == "there is an Ann already"
    assert ET.fromstring(FAULT.write("xml")).find("ok") is None
    assert json.loads(FAULT.write("json"))["doc"]["error"] == {
        "type": "exists",
        "object": "user",
        "value": "Ann",
        "msg": "there is an Ann already",
    }


HOSTILE = "<b>&\"'\x00\x1b[2J\udcff\ufffe\r\n]]>\U0001f600"


@pytest.mark.parametrize("output", list(Output))
@pytest.mark.parametrize(
    "document",
    [
        Document("f", Kind.LIST, rows=[{"a": HOSTILE}, {"a": "2"}]),
        Document("f", Kind.FORM, values={"a": HOSTILE}),
        Document(HOSTILE, Kind.ACTION, text=HOSTILE),
        Document("f", Kind.ACTION, fault=Fault("value", HOSTILE, HOSTILE, HOSTILE)),
    ],
)
def test_any_text_makes_a_well_formed_document(document: Document, output: Output):
    written = document.write(output)
    assert written.encode()
    assert "\x1b" not in written
    assert "\x00" not in written
    if output is Output.JSON:
        json.loads(written)
    elif output is not Output.TEXT:
        ET.fromstring(written)


def test_a_value_of_several_lines_stays_in_its_row():
    assert Document("f", Kind.LIST, rows=[{"a": "1\n2"}]).write() == "a=1 2"
