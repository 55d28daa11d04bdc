"""XML from outside, read without entities and with errors that name the line."""

from datetime import date, datetime
from xml.etree.ElementTree import Element, ParseError

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from billclock.billing.errors import SourceError


def read_xml(data: bytes, expected: str) -> Element:
    """Give the root element; raise SourceError where the bytes are no such XML.

    `expected` says in words what the document should have been.
    """
    if not data.strip():
        raise SourceError("", f"an empty document instead of {expected}", retry=True)
    if data.lstrip()[:14].lower().startswith((b"<!doctype html", b"<html")):
        raise SourceError("", f"a web page instead of {expected}", retry=True)
    try:
        root: Element = ElementTree.fromstring(data, forbid_dtd=True)
    except DefusedXmlException:
        raise SourceError(
            "", f"a document type declaration, which {expected} never has", retry=False
        ) from None
    except (ParseError, ValueError, LookupError) as error:
        raise SourceError(
            "", f"not {expected}: the XML breaks off or is damaged ({error})", retry=True
        ) from None
    return root


def read_date(text: str | None, form: str, where: str) -> date:
    """Read a date in the form of strptime(3), or raise SourceError."""
    try:
        return datetime.strptime((text or "").strip(), form).date()  # noqa: DTZ007 - a plain date
    except ValueError:
        raise SourceError("", f"{where}: {text!r} is not a date", retry=False) from None
