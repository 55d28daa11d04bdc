"""What a named function answers, as the panel writes it: text, XML or JSON."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from xml.etree import ElementTree as ET

Row = Mapping[str, str]


class Kind(StrEnum):
    """What a function does: gives a list, shows and saves a form, does something."""

    LIST = "list"
    FORM = "form"
    ACTION = "action"


class Output(StrEnum):
    """The forms of a document; `devel` is the panel's name for the whole XML document."""

    TEXT = "text"
    XML = "xml"
    DEVEL = "devel"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Fault:
    """An error: its type, the parameter or object it is about, the value, the words."""

    type: str
    object: str
    value: str
    message: str


@dataclass(frozen=True, slots=True)
class Change:
    """What an action changed: what it was done to, in which table, from what to what."""

    subject: str
    table: str = ""
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """The answer of one call.

    A list has `rows`, a form and an action `values`; `text` is an action's summary for people.
    `exit_code` is what a command line ends with. `changes` are for the audit trail.
    """

    function: str
    kind: Kind
    rows: Sequence[Row] = ()
    values: Row = field(default_factory=dict)
    text: str = ""
    fault: Fault | None = None
    exit_code: int = 0
    changes: Sequence[Change] = ()

    def write(self, output: Output | str = Output.TEXT) -> str:
        """Give the document in one of the forms, without a line end."""
        match Output(output):
            case Output.TEXT:
                return _clean(self._text())
            case Output.JSON:
                return json.dumps({"doc": self._plain()}, ensure_ascii=False)
        return ET.tostring(self._element(), encoding="unicode")

    def _text(self) -> str:
        if self.text:
            return self.text
        if self.fault:
            fault = self.fault
            names = f"Type: '{fault.type}' Object: '{fault.object}' Value: '{fault.value}'"
            return f"ERROR {names}\n{fault.message}"
        if self.kind is Kind.LIST:
            return "\n".join(" ".join(_pair(*pair) for pair in row.items()) for row in self.rows)
        return "\n".join(_pair(*pair) for pair in self.values.items()) or "OK"

    def _plain(self) -> dict[str, Any]:
        plain: dict[str, Any] = {"func": _clean(self.function)}
        if self.kind is Kind.LIST and not self.fault:
            plain["elem"] = [{name: _clean(text) for name, text in r.items()} for r in self.rows]
        plain |= {name: _clean(text) for name, text in self.values.items()}
        if self.fault:
            fault = self.fault
            plain["error"] = {
                "type": fault.type,
                "object": _clean(fault.object),
                "value": _clean(fault.value),
                "msg": _clean(fault.message),
            }
        elif self.kind is Kind.ACTION:
            plain["ok"] = True
        return plain

    def _element(self) -> ET.Element:
        doc = ET.Element("doc", func=_clean(self.function))
        for row in self.rows:
            _fill(ET.SubElement(doc, "elem"), row)
        if self.fault:
            _fault(doc, self.fault)
        elif self.kind is Kind.ACTION:
            ET.SubElement(doc, "ok")
        _fill(doc, self.values)
        return doc


def _fill(element: ET.Element, values: Row) -> None:
    for name, text in values.items():
        ET.SubElement(element, name).text = _clean(text)


def _fault(doc: ET.Element, fault: Fault) -> None:
    about = {"type": fault.type, "object": _clean(fault.object), "lang": "en"}
    error = ET.SubElement(doc, "error", about)
    for name in ("object", "value"):
        ET.SubElement(error, "param", name=name).text = _clean(getattr(fault, name))
    ET.SubElement(error, "msg").text = _clean(fault.message)


def _pair(name: str, text: str) -> str:
    return f"{name}={text.replace(chr(10), ' ')}"


def _clean(text: str) -> str:
    """Replace what neither XML 1.0 nor UTF-8 can hold: control characters, bytes of no text."""
    return "".join(sign if sign in "\t\n" or _printable(sign) else "\ufffd" for sign in text)


def _printable(sign: str) -> bool:
    return sign >= " " and not "\ud800" <= sign <= "\udfff" and sign not in "\x7f\ufffe\uffff"
