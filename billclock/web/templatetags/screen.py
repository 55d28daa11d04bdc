"""Icons and words; part of every template without being loaded."""

from functools import cache

from django import template
from django.templatetags.static import static
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

from billclock.web import retold

register = template.Library()
register.filter("retold", retold.retold)


@register.filter
def grouped(count: int) -> str:
    """Write a large number in groups of three, as the language does."""
    return number_format(count, force_grouping=True)


@register.simple_tag
@cache
def icon(name: str, kind: str = "") -> SafeString:
    """Draw a Lucide icon of the sprite; the word beside it is what a screen reader says."""
    return format_html(
        '<svg class="i{}" aria-hidden="true"><use href="{}#{}"/></svg>',
        f" {kind}" if kind else "",
        static("vendor/lucide/sprite.svg"),
        name,
    )
