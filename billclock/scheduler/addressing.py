"""To whom an entry's reports go, from whom and in which form: read from its variables."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from email.utils import formataddr

from django.conf import settings

from billclock.cron.entry import Entry
from billclock.cron.shell import is_simple
from billclock.scheduler import environment, orders
from billclock.scheduler.policies import MailWhen
from billclock.scheduler.roster import Job

CRON = "(Cron Daemon)"
# narrower than RFC 5322: without what some mail program might take for a pipe or a file
_LOCAL = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+=%~&'#-]{0,63}")
_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_NAMED = re.compile(r"(?:(?P<name>[^<>]*)<(?P<inner>[^<>]*)>|(?P<bare>\S+))")
_CONTROL = dict.fromkeys((*range(32), *range(127, 160), 8232, 8233), " ")


@dataclass(frozen=True, slots=True)
class Addressing:
    """How an entry's reports are mailed.

    `recipients` and the address in `sender` are whole addresses; `charset` and `subtype` describe
    what the job prints; `variables` are the job's; `faults` say which of them are no good.
    """

    owner: str
    policy: MailWhen
    recipients: tuple[str, ...]
    sender: str
    charset: str
    subtype: str
    variables: Mapping[str, str]
    faults: tuple[str, ...]


def reported(job: Job) -> bool:
    """Tell whether anybody may get reports of a job at all; quick, asks no one."""
    if job.options.mail is MailWhen.NEVER or _discards(job.line):
        return False
    mailto = job.line.environment.get("MAILTO")
    return mailto is None or bool(_pieces(mailto))


def addressing(job: Job, host: str) -> Addressing:
    """Read how the reports of a job that ran on `host` are mailed, as crontab(5) has it.

    No MAILTO means the owner at the host's name, an empty one nobody. A bad address is left out
    and named in `faults`.
    """
    faults: list[str] = []
    assigned = job.line.environment
    recipients = []
    for piece in _pieces(assigned["MAILTO"]) if "MAILTO" in assigned else [job.owner]:
        try:
            recipients.append(address(piece, host))
        except ValueError as error:
            faults.append(f"MAILTO: {error}")
    subtype, charset = _content(assigned.get("CONTENT_TYPE", ""), faults)
    return Addressing(
        owner=job.owner,
        policy=job.options.mail,
        recipients=tuple(dict.fromkeys(recipients)) if reported(job) else (),
        sender=_sender(assigned.get("MAILFROM", ""), host, faults),
        charset=charset,
        subtype=subtype,
        variables=_variables(job, assigned),
        faults=tuple(faults),
    )


def address(text: str, host: str) -> str:
    """Give a whole mail address; a bare name is one of `host`.

    Raise ValueError, which quotes the text, for what is none.
    """
    local, at, domain = text.rpartition("@")
    if not at:
        local, domain = text, host
    try:
        domain = domain.encode("idna").decode("ascii")
    except UnicodeError:
        domain = ""
    good = _LOCAL.fullmatch(local) and all(_LABEL.fullmatch(label) for label in domain.split("."))
    if not good or len(domain) > 253:  # noqa: PLR2004  (RFC 1035)
        raise ValueError(f"{one_line(text)!r} is not a mail address")
    return f"{local}@{domain}"


def one_line(text: str) -> str:
    """Give text as one line that any header can hold: no control character, nothing unpaired."""
    text = text.encode("utf-8", "replace").decode()
    return " ".join(text.translate(_CONTROL).split())


def _pieces(mailto: str) -> list[str]:
    return [piece for piece in re.split(r"[,\s]+", mailto) if piece]


def _discards(line: Entry) -> bool:
    """Tell whether the entry says by its ending that nobody wants its report."""
    return not line.mails and is_simple(line.shell_command)


def _sender(given: str, host: str, faults: list[str]) -> str:
    """Choose the table's MAILFROM, else the setting, else root at the host, as Debian's cron."""
    for name, text in (("MAILFROM", given), ("BILLCLOCK_MAIL_FROM", settings.MAIL_FROM)):
        if not text.strip():
            continue
        try:
            return _with_name(one_line(text), host)
        except ValueError as error:
            faults.append(f"{name}: {error}")
    return formataddr((CRON, f"root@{host}"))


def _with_name(text: str, host: str) -> str:
    """Read `address`, `<address>` or `name <address>`; raise ValueError for anything else."""
    found = _NAMED.fullmatch(text)
    if not found:
        raise ValueError(f"{text!r} is not a mail address")
    name = (found["name"] or "").strip(' "')
    return formataddr((name or CRON, address(found["bare"] or found["inner"], host)))


def _content(given: str, faults: list[str]) -> tuple[str, str]:
    """Read CONTENT_TYPE: text/plain or text/html, and the charset of what the job prints."""
    if not given.strip():
        return "plain", "utf-8"
    header = Message()
    header["Content-Type"] = one_line(given)
    charset = header.get_content_charset("utf-8")
    try:
        # one that holds ASCII, decodes anything, and is text at all
        known = bytes(range(256)).decode(charset, "replace").startswith("\0\1\2")
    except (LookupError, UnicodeError):
        known = False
    kind = one_line(given).partition(";")[0].strip().lower()
    if kind not in ("text/plain", "text/html") or not known:
        faults.append(
            f"CONTENT_TYPE: {one_line(given)!r} is not text/plain or text/html in a charset of text"
        )
    return "html" if kind == "text/html" else "plain", charset if known else "utf-8"


def _variables(job: Job, assigned: Mapping[str, str]) -> Mapping[str, str]:
    try:
        return environment.environment(assigned, environment.account(orders.runner(job)))
    except environment.UnknownUserError:
        return assigned
