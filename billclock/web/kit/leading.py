"""Where another section lists what one looks for, or has a row, as far as it exists."""

from urllib.parse import urlencode

from django.urls import NoReverseMatch, resolve, reverse

from billclock.web.kit.section import Section


def section_of(name: str) -> Section | None:
    """Find a section by its name, by its address; None where there is none."""
    try:
        found = resolve(reverse(name)).kwargs.get("section")
    except NoReverseMatch:
        return None
    return found if isinstance(found, Section) else None


def list_of(name: str, **wanted: str) -> str:
    """Give the address of a section's list with filters, such as on_since; "" without them all."""
    section = section_of(name)
    if section is None:
        return ""
    known = {part for one in section.filters for part in one.names}
    query = f"?{urlencode(wanted)}" if wanted else ""
    return f"{section.address()}{query}" if wanted.keys() <= known else ""


def row_of(name: str, key: object) -> str:
    """Give the address of a section's row; "" without a key, or such a section."""
    return way_to(name, key) if key is not None else ""


def way_to(section: str, key: object, what: str = "one") -> str:
    """Give the address of a row's page, or of `what` of it; empty where there is none."""
    try:
        return reverse(f"{section}_{what}", args=[key])
    except NoReverseMatch:
        return ""
