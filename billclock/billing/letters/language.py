"""What letters' templates may use: tags and filters that show facts, and nothing that reaches out.

Left out of Django's own are those that load code or files, know the site's addresses, settings or
clock, switch escaping off, or can be made to write without end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import template
from django.template import defaultfilters, defaulttags, loader_tags

TAGS = (
    "comment", "cycle", "filter", "firstof", "for", "if", "ifchanged", "regroup", "resetcycle",
    "spaceless", "templatetag", "verbatim", "with",
)  # fmt: skip
FILTERS = (
    "add", "capfirst", "cut", "default", "default_if_none", "divisibleby", "escape", "first",
    "floatformat", "force_escape", "join", "last", "length", "linebreaks", "linebreaksbr", "lower",
    "pluralize", "slice", "striptags", "title", "truncatechars", "truncatewords", "unordered_list",
    "upper", "urlencode", "urlize", "wordwrap", "yesno",
)  # fmt: skip

register = template.Library()


def _take(known: dict[str, Callable[..., Any]], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: known[name] for name in names}


register.tags = _take(defaulttags.register.tags, TAGS) | _take(
    loader_tags.register.tags, ("block", "extends", "include")
)
register.filters = _take(defaultfilters.register.filters, FILTERS)
