"""The addresses of a section: its list, its CSV, a form, a row, acts, likings."""

from django.urls import URLPattern, path

from billclock.web.kit import acting, detail, editing, export, listing
from billclock.web.kit.section import Section


def patterns(section: Section) -> list[URLPattern]:
    """Give them all, named by the section: currencies, currencies_csv, currencies_one and so on."""
    name = section.name
    how = {"section": section}
    return [
        path(name, listing.page, how, name=name),
        path(f"{name}/csv", export.as_csv, how, name=f"{name}_csv"),
        path(f"{name}/like", listing.like, how, name=f"{name}_like"),
        path(f"{name}/act", acting.act, how, name=f"{name}_act"),
        path(f"{name}/new", editing.new, how, name=f"{name}_new"),
        path(f"{name}/<str:key>", detail.page, how, name=f"{name}_one"),
        path(f"{name}/<str:key>/edit", editing.edit, how, name=f"{name}_edit"),
    ]
