"""Where the palette leads: every screen somebody may see, and the choices of theme and language."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import get_language_info, gettext_lazy, pgettext_lazy

from billclock.accounts.models import Role, User
from billclock.web.access import may_edit
from billclock.web.kit.rights import sees
from billclock.web.sections import GROUPS


@dataclass(frozen=True)
class Choice:
    """Something to go to, or to do where it has `fields`: those of the form that is sent.

    `said` is what else it is found by, beside its word.
    """

    icon: str
    word: str
    address: str
    detail: str = ""
    fields: Mapping[str, str] | None = None
    said: str = ""

    def is_like(self, words: Sequence[str]) -> bool:
        """Tell whether each of some words, case folded, is in it."""
        whole = f"{self.word} {self.detail} {self.said}".casefold()
        return all(word in whole for word in words)


@dataclass(frozen=True)
class Screen:
    """A screen by the name of its address, and who may see it."""

    name: str
    word: Promise
    icon: str
    seen_by: Callable[[User], bool] = lambda _user: True


def _is_root(user: User) -> bool:
    return user.role == Role.ROOT


def _rules(user: User) -> bool:
    return user.rules


SCREENS = (
    Screen("dashboard", gettext_lazy("Overview"), "monitor"),
    Screen("jobs", gettext_lazy("Jobs"), "clock"),
    Screen("runs", gettext_lazy("Runs"), "list"),
    Screen("timeline", gettext_lazy("Timeline"), "calendar-days"),
    Screen("problems", gettext_lazy("Problems"), "triangle-alert"),
    Screen("crontab", gettext_lazy("Crontab"), "receipt-text"),
    Screen("settings", gettext_lazy("Settings"), "settings"),
    Screen("entry_new", gettext_lazy("Create job"), "plus", may_edit),
    Screen("crontab_edit", gettext_lazy("Edit the crontab as text"), "pencil", may_edit),
    Screen("crontab_import", gettext_lazy("Import a crontab"), "upload", may_edit),
    Screen("versions", gettext_lazy("Versions of the crontab"), "history"),
    Screen("account", gettext_lazy("Your account"), "user"),
    Screen("keys", gettext_lazy("Keys for programs"), "key-round"),
    Screen("api_reference", gettext_lazy("What programs can call"), "list-checks"),
    Screen("users", gettext_lazy("Users"), "users", _rules),
    Screen("user_invite", gettext_lazy("Invite a user"), "user-plus", _rules),
    Screen("audit", gettext_lazy("Audit trail"), "history", _is_root),
)
THEMES = (
    ("auto", pgettext_lazy("palette", "Theme: as the system"), "sun-moon"),
    ("light", pgettext_lazy("palette", "Theme: light"), "sun"),
    ("dark", pgettext_lazy("palette", "Theme: dark"), "moon"),
)


def screens(user: User) -> Iterator[Choice]:
    """Give the screens and sections a user may see, found by their English addresses too."""
    for screen in SCREENS:
        if screen.seen_by(user):
            address = reverse(screen.name)
            yield Choice(screen.icon, str(screen.word), address, said=address)
    for group in GROUPS:
        for section in group.sections:
            if sees(user, section):
                address = reverse(section.name)
                yield Choice("list", str(section.title), address, str(group.title), said=address)


def looks(here: str) -> Iterator[Choice]:
    """Give the choices of theme and language; each leads back to the page `here`."""
    for theme, word, icon in THEMES:
        fields = {"theme": theme, "next": here}
        yield Choice(icon, str(word), reverse("theme"), fields=fields, said=f"theme {theme}")
    for code, _name in settings.LANGUAGES:
        info = get_language_info(code)
        yield Choice(
            "user",
            str(gettext_lazy("Language: %s")) % info["name_local"].capitalize(),
            reverse("set_language"),
            fields={"language": code, "next": here},
            said=f"language {info['name']}",
        )
