"""Two edits of one crontab that met: what was shown, what either made of it, what may become."""

from dataclasses import dataclass

from billclock.cron.header import visible
from billclock.scheduler import versions
from billclock.scheduler.errors import Conflict
from billclock.scheduler.models import Version
from billclock.web.difference import Difference, difference
from billclock.web.typed import to_type


@dataclass(frozen=True)
class Meeting:
    """What templates/parts/conflict.html shows.

    `mine` and `theirs` are what either changed, `seen` the digest of what is there now; `both` and
    `own` are whole texts to install over that: the two edits together (None: they touch the same
    lines) and mine alone. `other` is the version that came between, if it is known.
    """

    table: str
    mine: Difference
    theirs: Difference
    seen: str
    own: str
    both: str | None
    other: Version | None

    @property
    def outside(self) -> bool:
        """Tell whether it was changed by another program than ours."""
        return self.other is None or self.other.author == versions.OUTSIDE


def meeting(table: str, conflict: Conflict) -> Meeting:
    """Put a conflict into the terms of its page: one query."""
    base, mine, theirs = (visible(text or b"") for text in _texts(conflict))
    seen = versions.digest(conflict.theirs)
    merged = None if conflict.merged is None else to_type(visible(conflict.merged))
    other = Version.objects.filter(table=table, digest=seen).order_by("-number").first()
    return Meeting(
        table=table,
        mine=difference(base, mine),
        theirs=difference(base, theirs),
        seen=seen,
        own=to_type(mine),
        both=merged,
        other=other,
    )


def _texts(conflict: Conflict) -> tuple[bytes | None, bytes | None, bytes | None]:
    """Give base, mine and theirs; where what was shown is not kept, theirs stands for it."""
    base = conflict.theirs if conflict.base is None else conflict.base
    mine = base if conflict.mine is None else conflict.mine
    return base, mine, conflict.theirs
