"""Own words for letters: by provider, kind and language; what is wrong with them, how they look."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_POST, require_safe

from billclock.accounts.models import User
from billclock.billing.errors import BillingError
from billclock.billing.letters import previewing, wording
from billclock.billing.letters.words import WordsError
from billclock.billing.notice_kinds import KINDS
from billclock.billing.notifications import Template
from billclock.billing.provider import Provider
from billclock.web.client_words import LANGUAGES
from billclock.web.fresh import fresh
from billclock.web.kit import detail, rights
from billclock.web.kit.columns import Link, Switch, Text
from billclock.web.kit.editing import WRONG
from billclock.web.kit.fields import Form
from billclock.web.kit.filters import Choice
from billclock.web.kit.panels import Panel
from billclock.web.kit.section import Act, Given, Section, Values
from billclock.web.letters import framed
from billclock.web.visible import visible

CODE = {"spellcheck": "false", "autocomplete": "off", "class": "code"}


def _kinds() -> list[tuple[str, str]]:
    return [(kind.name, _now(kind.title)) for kind in KINDS.values()]


class TemplateForm(Form):
    """What one may say in the place of the words that are shipped."""

    parts = ((_("For"), ("provider", "kind", "language")),)
    provider = forms.ModelChoiceField(
        Provider.objects.all(), label=_("Provider"), required=False,
        empty_label=_("all that have no words of their own"),
    )  # fmt: skip
    kind = forms.ChoiceField(label=_("Kind"), choices=_kinds)
    language = forms.ChoiceField(label=_("Language"), choices=list(LANGUAGES.items()))
    subject = forms.CharField(
        label=_("Subject"), max_length=300, widget=forms.TextInput(attrs=CODE),
        help_text=_("Facts stand in braces, such as {{ service }} or {{ ends_on }}."),
    )  # fmt: skip
    text = forms.CharField(
        label=_("Text"), max_length=wording.LONGEST, strip=False,
        widget=forms.Textarea(attrs={"rows": 12, **CODE}),
        help_text=_("The way to leave such letters off comes below it by itself."),
    )  # fmt: skip
    html = forms.CharField(
        label=_("Page"), max_length=wording.LONGEST, strip=False, required=False,
        widget=forms.Textarea(attrs={"rows": 12, **CODE}),
        help_text=_("HTML; without it the text is made a page."),
    )  # fmt: skip


def _rows() -> QuerySet[Template]:
    return Template.objects.select_related("provider")


def _kind(row: Template) -> str:
    known = KINDS.get(row.kind)
    return _now(known.title) if known else row.kind


def _named(row: Template) -> str:
    return f"{_kind(row)} · {LANGUAGES.get(row.language, row.language)}"


def _create(values: Values, _by: User) -> Template:
    return wording.write(**values)


def _change(row: Template, values: Values, _by: User) -> Template:
    return wording.change(row, **values)


def _remove(row: Template, _given: Given) -> None:
    wording.remove(row)


def _providers() -> dict[str, str]:
    return {str(key): name for key, name in Provider.objects.values_list("pk", "name")}


def _look(row: Template, _request: HttpRequest) -> Mapping[str, Any]:
    """Give how own words look on facts, or what is wrong with them."""
    return _words(row) | {"page": reverse("letter-templates_page", args=[row.pk])}


def _words(row: Template) -> dict[str, Any]:
    try:
        found, real = previewing.of_template(row)
    except WordsError as error:
        return {"fault": visible(str(error))}
    text = "\n".join(map(visible, found.text.splitlines()))
    return {"subject": visible(found.subject), "text": text, "real": real}


@require_safe
@xframe_options_sameorigin
def page(request: HttpRequest, key: str) -> HttpResponse:
    """Give the page of own words in a sandbox; 409 with the reason where there is none."""
    rights.reader(request, TEMPLATES)
    try:
        found, _real = previewing.of_template(detail.one(TEMPLATES, key))
    except WordsError as error:
        return HttpResponse(f"{error}\n", status=409, content_type="text/plain; charset=utf-8")
    return framed(found.html)


@require_POST
@fresh
def preview(request: HttpRequest, section: Section) -> HttpResponse:
    """Show how words that are being written would look; nothing is saved."""
    rights.editor(request, section)
    form = TemplateForm(request.POST)
    if form.is_valid():
        try:
            found, _real = previewing.of_template(wording.tried(form.cleaned_data))
        except BillingError as error:
            form.refuse(error)
        else:
            return framed(found.html)
    context = {
        "section": section, "form": form, "row": None, "name": "", "met": False, "changed": [],
        "back": section.address(),
    }  # fmt: skip
    return render(request, "kit/form.html", context, status=WRONG)


TEMPLATES = Section(
    name="letter-templates",
    title=_("Letter templates"),
    one=_("letter template"),
    rows=_rows,
    named=_named,
    columns=(
        Text("kind", _("Kind"), of=_kind, below="subject"),
        Link("provider", _("Provider"), to="providers", named="name"),
        Text("language", _("Language"), of=lambda row: LANGUAGES.get(row.language, row.language)),
        Switch("html", _("Own page")),
    ),
    search=("subject", "text"),
    filters=(
        Choice("kind", _("Kind"), choices=lambda: dict(_kinds())),
        Choice("provider", _("Provider"), choices=_providers),
        Choice("language", _("Language"), choices=LANGUAGES),
    ),
    form=TemplateForm,
    create=_create,
    change=_change,
    acts=(
        Act("remove", _("Remove"), _remove, icon="trash-2", danger=True,
            confirm=_("The words that are shipped are sent again.")),
    ),
    facts=(
        Link("provider", _("Provider"), to="providers", named="name"),
        Text("kind", _("Kind"), of=_kind),
        Text("language", _("Language"), of=lambda row: LANGUAGES.get(row.language, row.language)),
    ),
    panels=(Panel("look", _("How it looks"), template="letters/look.html", context=_look),),
    intro=_("Without words of one's own, those that are shipped are sent."),
    css="css/invoices.css",
    preview="letter-templates_preview",
)  # fmt: skip

URLS = [
    path("letter-templates/preview", preview, {"section": TEMPLATES},
         name="letter-templates_preview"),
    path("letter-templates/<str:key>/page", page, name="letter-templates_page"),
]  # fmt: skip
