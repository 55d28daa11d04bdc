"""A form's fields for the settings of a plugin: one a setting, a secret never shown again."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billclock.billing.configuration import Field, Kind
from billclock.billing.errors import PluginSettingsError
from billclock.web import plugin_words
from billclock.web.kit.fields import Form, Part
from billclock.web.plugin_words import Plugin
from billclock.web.retold import retold

BEFORE = "set"
KEPT = gettext_lazy("One is kept: leave this empty, and it stays.")


class PluginForm(Form):
    """A form with the settings of a plugin; on a new row, those of each kind one may choose.

    `kinds` gives the plugins by name; the field `plugin` says which it is, and `stored` on a row
    what it has. `settings` gives what was typed for that one, to be read by the plugin's fields.
    """

    kinds: ClassVar[Callable[[], Mapping[str, Plugin]]]
    fixed: ClassVar[Sequence[str]] = ("plugin",)

    def __init__(self, data: Any = None, *, initial: Any = None, **how: Any) -> None:
        super().__init__(data, initial=initial, **how)
        known = type(self).kinds()
        self.fields["plugin"] = forms.ChoiceField(
            label=_("Kind"), choices=[(name, plugin_words.kind(name)) for name in known]
        )
        self.order_fields(["plugin"])
        chosen = str((initial or {}).get("plugin"))
        stored = (initial or {}).get("stored", {})
        self.offered = {chosen: known[chosen]} if chosen in known else dict(known)
        self._settings_parts: list[Part] = []
        for kind, plugin in self.offered.items():
            for one in plugin.fields:
                field = self.fields[f"{BEFORE}-{kind}-{one.name}"] = _asked(one, stored)
                field.needed = one.required  # type: ignore[union-attr]  # by this kind alone
            if plugin.fields:
                names = [f"{BEFORE}-{kind}-{one.name}" for one in plugin.fields]
                self._settings_parts.append((_("Settings: %s") % plugin_words.kind(kind), names))
        self.parts: Sequence[tuple[Promise | str, Sequence[str]]] = [  # type: ignore[misc]
            *type(self).parts, *self._settings_parts
        ]  # fmt: skip

    @classmethod
    def of(cls, row: Any) -> dict[str, Any]:
        """Fill it with a row's settings, but its secrets."""
        return {**super().of(row), "plugin": row.plugin, "stored": row.settings}

    def clean(self) -> dict[str, Any]:
        """Gather the settings of the chosen kind under `settings`."""
        values = super().clean()
        begin = f"{BEFORE}-{values.get('plugin', '')}-"
        values["settings"] = {
            name.removeprefix(begin): values.get(name, "")
            for name in self.fields
            if name.startswith(begin)
        }
        for name in [name for name in values if name.startswith(f"{BEFORE}-")]:
            del values[name]
        return values

    def refuse(self, error: Exception) -> None:
        """Show what is wrong with a setting at its field."""
        if not isinstance(error, PluginSettingsError):
            super().refuse(error)
            return
        for name, fault in error.faults.items():
            field = f"{BEFORE}-{self.cleaned_data['plugin']}-{name}"
            self.add_error(field if field in self.fields else None, retold(fault))


class Secret(forms.PasswordInput):
    """A text nobody reads over one's shoulder; to a browser no password, which it would keep."""

    input_type = "text"

    def __init__(self) -> None:
        """Hide what is typed by style."""
        super().__init__({"autocomplete": "off", "class": "secret"})


def _asked(one: Field, stored: Mapping[str, Any]) -> forms.CharField | forms.ChoiceField:
    meaning = plugin_words.meaning(one)
    how: dict[str, Any] = {
        "label": plugin_words.label(one.name),
        "required": False,
        "help_text": meaning,
    }
    begun = stored.get(one.name, one.default)
    if one.kind is Kind.CHOICE:
        said = [(each, plugin_words.choice(one.name, each)) for each in one.choices]
        return forms.ChoiceField(choices=said, initial=begun, **how)
    if one.kind is Kind.SECRET:
        how["help_text"] = f"{meaning} {KEPT}" if stored.get(one.name) else meaning
        return forms.CharField(max_length=500, strip=True, widget=Secret(), **how)
    return forms.CharField(max_length=500, initial=begun, **how)
