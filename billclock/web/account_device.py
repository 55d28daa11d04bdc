"""What a browser says it is, in two words that its user knows it by."""

import re
from dataclasses import dataclass

from django.utils.translation import gettext as _

# the first that fits: browsers name those they descend from, and come before them here
BROWSERS = (
    (r"Edg(?:e|A|iOS)?/", "Edge"),
    (r"OPR/|Opera", "Opera"),
    (r"SamsungBrowser/", "Samsung Internet"),
    (r"YaBrowser/", "Yandex Browser"),
    (r"Firefox/|FxiOS/", "Firefox"),
    (r"Chrome/|CriOS/|Chromium/", "Chrome"),
    (r"Safari/", "Safari"),
    (r"curl/", "curl"),
)
SYSTEMS = (
    (r"iPhone", "iPhone"),
    (r"iPad", "iPad"),
    (r"Android", "Android"),
    (r"Windows", "Windows"),
    (r"Mac OS X|Macintosh", "macOS"),
    (r"CrOS", "ChromeOS"),
    (r"Linux|X11", "Linux"),
)
HANDHELD = {"iPhone", "iPad", "Android"}


@dataclass(frozen=True)
class Device:
    """A browser on a system, as it says itself: nothing proves it."""

    browser: str
    system: str

    @property
    def icon(self) -> str:
        """Name the icon for it."""
        return "smartphone" if self.system in HANDHELD else "monitor"

    def __str__(self) -> str:
        """Say it as in "Firefox on Linux"."""
        if self.browser and self.system:
            return _("%(browser)s on %(system)s") % {
                "browser": self.browser,
                "system": self.system,
            }
        return self.browser or self.system or _("Unknown device")


def device(agent: str) -> Device:
    """Read a User-Agent header."""
    return Device(_first(BROWSERS, agent), _first(SYSTEMS, agent))


def _first(known: tuple[tuple[str, str], ...], agent: str) -> str:
    return next((name for pattern, name in known if re.search(pattern, agent)), "")
