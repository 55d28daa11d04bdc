"""Whether an edit changes more of its crontab than the line that everybody expects it to."""

from collections import Counter

from billclock.cron.comments import block
from billclock.cron.crontab import Crontab
from billclock.cron.entry import Entry


def goes_beyond(before: Crontab, entry: Entry | None, after: Crontab, job: Entry) -> bool:
    """Tell whether other lines change than the job's own and its description.

    `entry` is the job in `before` (None: it is new), `job` the same in `after`. A directive line
    counts as another: it holds what a plain entry cannot say, in words of ours.
    """
    old = Counter(line.raw for line in before.lines)
    new = Counter(line.raw for line in after.lines)
    gone, come = old - new, new - old
    expected_gone = _expected(before, entry) if entry else Counter[bytes]()
    return bool(gone - expected_gone) or bool(come - _expected(after, job))


def _expected(crontab: Crontab, entry: Entry) -> Counter[bytes]:
    """Give the lines of an entry and its description; blank ones around them go without saying."""
    own = block(crontab.lines, entry.line - 1)
    lines = [line.raw for line in crontab.lines[own.start : own.described]]
    blank = [line.raw for line in crontab.lines if not line.raw.strip()]
    return Counter([*lines, crontab.lines[own.entry].raw, *blank])
