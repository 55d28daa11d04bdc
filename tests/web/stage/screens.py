"""Every screen of the product by its address; tests look at each, pictures are taken of each."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from billclock.web.kit.section import Section


@dataclass(frozen=True)
class Screen:
    """A screen: its address, with names of `Stage.known` in braces.

    `status` is the answer's; `pressed` a key that opens something on it, `shown` what then appears.
    """

    name: str
    path: str
    status: int = 200
    signed_in: bool = True
    pressed: str = ""
    shown: str = ""


SCREENS = (
    Screen("dashboard", "/dashboard"),
    Screen("jobs", "/"),
    Screen("jobs-none", "/?q=none+like+this"),
    Screen("jobs-keys", "/", pressed="?", shown="#keys"),
    Screen("jobs-empty", "/?table=backup"),
    Screen("palette", "/", pressed="Control+k", shown="#palette [role=option]"),
    Screen("go", "/go?q=copies&job={job}"),
    Screen("job", "/entries/{job}"),
    Screen("job-new", "/entries/new?expression=0+3+*+*+1-5"),
    Screen("job-clone", "/entries/{job}/clone"),
    Screen("runs", "/runs"),
    Screen("runs-folded", "/runs?fold=1"),
    Screen("runs-none", "/runs?outcome=lost"),
    Screen("run", "/runs/{run}"),
    Screen("run-failed", "/runs/{failed}"),
    Screen("run-going", "/runs/{going}"),
    Screen("run-environment", "/runs/{run}?show=environment"),
    Screen("run-command", "/runs/{run}?show=command"),
    Screen("run-events", "/runs/{run}?show=events"),
    Screen("run-changes", "/runs/{run}?show=changes"),
    Screen("timeline", "/timeline"),
    Screen("timeline-hour", "/timeline?zoom=hour"),
    Screen("timeline-week", "/timeline?zoom=week"),
    Screen("timeline-month", "/timeline?zoom=month"),
    Screen("problems", "/problems"),
    Screen("problems-why", "/problems?entry={job}&at={missed}"),
    Screen("crontab", "/crontab"),
    Screen("crontab-edit", "/crontab/edit"),
    Screen("crontab-import", "/crontab/import"),
    Screen("versions", "/crontab/versions"),
    Screen("version", "/crontab/versions/{version}"),
    Screen("settings", "/settings"),
    Screen("section-none", "/currencies?q=none+like+this"),
    Screen("account", "/account"),
    Screen("account-app", "/account/app"),
    Screen("account-passkey", "/account/passkeys/add"),
    Screen("account-password", "/account/password"),
    Screen("keys", "/account/keys"),
    Screen("api", "/api/reference"),
    Screen("users", "/users"),
    Screen("user", "/users/{user}"),
    Screen("user-invite", "/users/invite"),
    Screen("audit", "/audit"),
    Screen("audit-row", "/audit/{audit}"),
    Screen("nothing", "/nothing", status=404),
    Screen("sign-in", "/sign-in", signed_in=False),
    Screen("forgotten", "/forgotten", signed_in=False),
    Screen("setup-used", "/setup/used-up", status=410, signed_in=False),
)


def of_section(section: "Section", known: Mapping[str, object]) -> Iterator[Screen]:
    """Give the screens of a section of the back office; a row's where it has any."""
    name = section.name
    yield Screen(name, f"/{name}")
    if section.create:
        yield Screen(f"{name}-new", f"/{name}/new")
    if name in known:
        yield Screen(f"{name}-one", f"/{name}/{{{name}}}")
        if section.change:
            yield Screen(f"{name}-edit", f"/{name}/{{{name}}}/edit")
