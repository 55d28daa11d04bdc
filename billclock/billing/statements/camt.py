"""Statements as camt.053 of ISO 20022, versions 02 to 08: what is booked, batches taken apart."""

import re
from collections.abc import Iterator
from datetime import date
from io import BytesIO
from xml.etree.ElementTree import Element, ParseError

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from billclock.billing.errors import StatementError
from billclock.billing.statements.base import (
    MOST,
    EntryError,
    Fault,
    Reading,
    StatementEntry,
    amount,
    check_size,
    gathered,
    tidy,
)

DEEPEST = 50  # elements within elements; the standard has about twenty
VERSIONS = range(2, 9)
_ROOT = re.compile(r"\{urn:iso:std:iso:20022:tech:xsd:(camt\.05[234])\.001\.(\d\d)\}Document")
NO_NAMES = frozenset({"NOTPROVIDED", "NONREF", "NOREF", "N/A"})


def recognises(data: bytes) -> bool:
    """Tell whether the file looks like XML."""
    return data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")


def read(data: bytes) -> Reading:
    """Read a file; raise StatementError where it is no such statement, or breaks off.

    A file that breaks off gives nothing: half a statement would look like a whole one.
    """
    check_size(data)
    sheets: dict[str, list[StatementEntry]] = {}
    faults: list[Fault] = []
    pending = 0
    for where, statement, entry in _entries(data):
        if (_text(entry, "Sts/Cd") or _text(entry, "Sts")) != "BOOK":
            pending += 1
            continue
        try:
            sheet = sheets.setdefault(where.partition("/")[0], [])
            sheet += _read_entry(entry, statement, where)
        except EntryError as error:
            faults.append(Fault(where, str(error)))
    return gathered(sheets.values(), faults, pending)


def _entries(data: bytes) -> Iterator[tuple[str, Element, Element]]:
    """Give (path, statement, entry), each entry forgotten when the next is asked for."""
    open_: list[Element] = []
    statements = entries = total = 0
    for event, element in _events(data):
        name = _name(element)
        if event == "start":
            if not open_:
                _check_root(element)
            statements += name == "Stmt"
            entries = 0 if name == "Stmt" else entries
            open_.append(element)
            if len(open_) > DEEPEST:
                raise StatementError("", f"elements more than {DEEPEST} deep")
            continue
        open_.pop()
        if name == "Ntry" and open_ and _name(open_[-1]) == "Stmt":
            entries, total = entries + 1, total + 1
            if total > MOST:
                raise StatementError("", f"more than {MOST} entries")
            yield f"Stmt[{statements}]/Ntry[{entries}]", open_[-1], element
            open_[-1].remove(element)
    if not statements:
        raise StatementError("", "no statement (Stmt) in it")


def _events(data: bytes) -> Iterator[tuple[str, Element]]:
    try:
        yield from ElementTree.iterparse(BytesIO(data), ("start", "end"), forbid_dtd=True)
    except DefusedXmlException:
        raise StatementError(
            "", "a document type declaration, which no bank's statement has"
        ) from None
    except (ParseError, ValueError, LookupError) as error:
        raise StatementError(
            "", f"the XML breaks off or is damaged ({error})", "fetch the file again"
        ) from None


def _check_root(root: Element) -> None:
    known = _ROOT.fullmatch(root.tag)
    if known is None:
        raise StatementError("", f"{root.tag[:100]!r} is not a statement (camt.053)")
    kind, version = known.groups()
    if kind != "camt.053":
        raise StatementError(
            "", f"{kind} is not a statement of what was booked", "ask the bank for camt.053"
        )
    if int(version) not in VERSIONS:
        raise StatementError("", f"camt.053 version {version}; 02 to 08 are known")


def _read_entry(entry: Element, statement: Element, where: str) -> list[StatementEntry]:
    """Give an entry, or those of its batch where they add up to it."""
    minor, currency = _amount(entry)
    signed = minor if _sign(entry, None) > 0 else -minor
    whole = _built(entry, None, statement, where, signed, currency)
    details = _found(entry, "NtryDtls/TxDtls")
    if len(details) == 1:
        return [_built(entry, details[0], statement, where, signed, currency)]
    if not details:
        return [whole]
    parts = _parts(entry, details, currency)
    if parts is None or sum(parts) != signed:
        return [whole]
    return [
        _built(entry, one, statement, f"{where}/TxDtls[{number}]", part, currency)
        for number, (one, part) in enumerate(zip(details, parts, strict=True), 1)
    ]


def _parts(entry: Element, details: list[Element], currency: str) -> list[int] | None:
    """Give the signed amounts of a batch's parts, None where one is missing or in other money."""
    parts = []
    for one in details:
        places = (one.find("{*}Amt"), one.find("{*}AmtDtls/{*}TxAmt/{*}Amt"))
        told = next((place for place in places if place is not None), None)
        if told is None or told.get("Ccy") != currency:
            return None
        parts.append(_sign(entry, one) * amount(told.text or "", currency))
    return parts


def _built(
    entry: Element, one: Element | None, statement: Element, where: str, minor: int, currency: str
) -> StatementEntry:
    told = entry if one is None else one
    reversal = _reversal(entry)
    party, iban = _party(told, debtor=(minor > 0) != reversal)
    structured = _text(told, "RmtInf/Strd/CdtrRefInf/Ref")
    end_to_end = _named(told, "Refs/EndToEndId")
    account = _text(statement, "Acct/Id/IBAN") or _text(statement, "Acct/Id/Othr/Id")
    page = _text(statement, "StmtPgntn/PgNb")
    free = [_inner(line) for line in _found(told, "RmtInf/Ustrd")]
    return StatementEntry(
        statement=tidy(_text(statement, "Id"), f"page {page}" if page else ""),
        account=account,
        on=_date(entry),
        minor=minor,
        currency=currency,
        party=party,
        iban=iban,
        text=tidy(*free) or tidy(_text(entry, "AddtlNtryInf")),
        reference=tidy(structured or end_to_end),
        bank_reference=_bank_reference(entry, one),
        reversal=reversal or told.find("{*}RtrInf") is not None,
        where=where,
    )


def _bank_reference(entry: Element, one: Element | None) -> str:
    names = [_named(entry, "AcctSvcrRef"), _named(entry, "NtryRef")]
    if one is not None:
        names = [
            _named(one, "Refs/AcctSvcrRef"), _named(one, "Refs/TxId"), _named(one, "Refs/InstrId"),
            *names,
        ]  # fmt: skip
    return next(filter(None, names), "")


def _party(told: Element, *, debtor: bool) -> tuple[str, str]:
    role = "Dbtr" if debtor else "Cdtr"
    name = _text(told, f"RltdPties/{role}/Nm") or _text(told, f"RltdPties/{role}/Pty/Nm")
    account = _text(told, f"RltdPties/{role}Acct/Id/IBAN")
    return tidy(name), account.replace(" ", "").upper()[:34]


def _amount(entry: Element) -> tuple[int, str]:
    told = entry.find("{*}Amt")
    if told is None:
        raise EntryError("Amt is missing")
    currency = told.get("Ccy", "")
    return amount(told.text or "", currency), currency


def _sign(entry: Element, one: Element | None) -> int:
    said = (_text(one, "CdtDbtInd") if one is not None else "") or _text(entry, "CdtDbtInd")
    if said not in {"CRDT", "DBIT"}:
        raise EntryError(f"CdtDbtInd is {said!r}, not CRDT or DBIT")
    return 1 if said == "CRDT" else -1


def _reversal(entry: Element) -> bool:
    return _text(entry, "RvslInd") in {"true", "1"}


def _date(entry: Element) -> date:
    for name in ("BookgDt/Dt", "BookgDt/DtTm", "ValDt/Dt", "ValDt/DtTm"):
        if text := _text(entry, name):
            try:
                return date.fromisoformat(text[:10])
            except ValueError:
                raise EntryError(f"{name} is {text[:30]!r}, not a date") from None
    raise EntryError("BookgDt is missing")


def _named(told: Element, path: str) -> str:
    text = tidy(_text(told, path))
    return "" if text.upper() in NO_NAMES else text


def _found(told: Element, path: str) -> list[Element]:
    return told.findall("/".join(f"{{*}}{step}" for step in path.split("/")))


def _text(told: Element, path: str) -> str:
    found = told.find("/".join(f"{{*}}{step}" for step in path.split("/")))
    return "" if found is None else _inner(found)


def _inner(element: Element) -> str:
    return (element.text or "").strip()


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2]
