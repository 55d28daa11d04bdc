"""Notices to clients: kinds, templates by provider and language, subscriptions, who was told.

A notice is written with the message that carries it, in the transaction of what it tells of. The
message waits in the outbox, on the channel `letter`; to whom it goes and what it says is made up
when it is delivered (billing/letters). So an act may tell of very much and costs two rows each.

For statements of sets, `notify_set` takes the SELECT; nothing else writes these two tables.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from itertools import islice

from django.db import models, transaction

from billclock import clock
from billclock.billing import engine
from billclock.billing.clients import Account, Contact
from billclock.billing.facts import Facts, plain
from billclock.billing.notice_kinds import kind_of
from billclock.billing.provider import Provider
from billclock.outbox import messages
from billclock.outbox.channels import Letter

CHANNEL = "letter"

SUPERSEDED = "superseded"
"""Why a notice has no message: a more urgent threshold was crossed as well."""


class Notice(models.Model):
    """A letter for one subject (a service, or the account: 0), period and threshold: once.

    `message` is the dedupe key of the outbox message; empty where a more urgent threshold had
    been crossed as well and superseded this one, or where nobody wants such letters.
    """

    account = models.ForeignKey(Account, models.PROTECT, related_name="notices", db_index=False)
    kind = models.CharField(max_length=40)
    subject = models.BigIntegerField(default=0)
    period = models.DateField()
    threshold = models.SmallIntegerField(default=0)
    on = models.DateField()
    message = models.CharField(max_length=160, blank=True)
    why_not = models.CharField(max_length=40, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("account", "kind", "subject", "period", "threshold"), name="notice_once"
            ),
        )
        indexes = (
            models.Index(fields=("kind", "id"), name="notice_by_kind"),
            models.Index(fields=("on",), name="notice_by_day"),
        )


class Subscription(models.Model):
    """A contact's choice for a kind of notice by a channel; without a row the kind's default."""

    contact = models.ForeignKey(Contact, models.CASCADE, related_name="subscriptions")
    kind = models.CharField(max_length=40)
    channel = models.CharField(max_length=20, default="mail")
    on = models.BooleanField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("contact", "kind", "channel"), name="subscription_once"
            ),
        )


class Template(models.Model):
    """A notice's words in a language; without a provider for all that have none of their own."""

    provider = models.ForeignKey(Provider, models.CASCADE, null=True, related_name="templates")
    kind = models.CharField(max_length=40)
    language = models.CharField(max_length=8)
    channel = models.CharField(max_length=20, default="mail")
    subject = models.CharField(max_length=300, blank=True)
    text = models.TextField()
    html = models.TextField(blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("provider", "kind", "language", "channel"), name="template_once"
            ),
        )


@dataclass(frozen=True, slots=True)
class Telling:
    """One notice to be written: as `notify`'s arguments; with `why_not` it is only recorded."""

    account: int
    kind: str
    period: date
    subject: int = 0
    threshold: int = 0
    facts: Facts = field(default_factory=dict)
    why_not: str = ""

    @property
    def key(self) -> str:
        """Give the dedupe key of its message; `_KEY` is its twin."""
        return (
            f"notice/{self.kind}/{self.account}/{self.subject}/{self.period.isoformat()}"
            f"/{self.threshold}"
        )

    @property
    def payload(self) -> Facts:
        """Give what its message carries; `_PAYLOAD` is its twin."""
        return {
            "kind": self.kind,
            "account": self.account,
            "subject": self.subject,
            "period": self.period.isoformat(),
            "threshold": self.threshold,
            "facts": plain(self.facts),
        }


@transaction.atomic
def notify(
    account: Account | int,
    kind: str,
    *,
    period: date,
    on: date,
    subject: int = 0,
    threshold: int = 0,
    facts: Facts | None = None,
) -> Notice:
    """Tell an account's people something once; give the notice, the old one where there is one.

    `subject` is the key of what it is about (a service, an invoice), 0 for the account. `period`
    and `threshold` set apart what may be told again. `on` is the business date. Raises BillingError
    for an unknown kind or a fact that the kind must be given and is not.
    """
    key = account if isinstance(account, int) else account.pk
    telling = Telling(key, kind, period, subject, threshold, facts or {})
    _check(telling)
    notice, new = Notice.objects.get_or_create(
        account_id=telling.account,
        kind=kind,
        subject=subject,
        period=period,
        threshold=threshold,
        defaults={"on": on, "message": telling.key},
    )
    if new:
        letter = Letter(
            channel=CHANNEL,
            dedupe_key=telling.key,
            recipients=(),
            at=clock.now(),
            payload=telling.payload,
            group=f"{CHANNEL} {kind}",
            topic=f"account {telling.account}",
        )
        messages.put(letter)
    return notice


@transaction.atomic
def notify_many(tellings: Iterable[Telling], *, on: date) -> int:
    """Tell very many at once, in a fixed number of statements; give how many messages were put.

    What was told before is left out. Raises what `notify` raises, and then tells nobody.
    """
    lay_out(tellings)
    return _write(on, 0, _END)


def lay_out(tellings: Iterable[Telling]) -> Counter[str]:
    """Hold tellings that were not told yet ready for `put_next`; count by kind those to be sent.

    Nothing is written but a table of this connection's own, so that a job may look at the numbers
    first. Raises what `notify` raises.
    """
    _make_table()
    lines = map(_line, tellings)
    while some := list(islice(lines, _AT_ONCE)):
        engine.insert("notice_now", _COLUMNS, some)
    _leave_out_told()
    found = engine.rows("SELECT kind, count(*) FROM notice_now WHERE why_not = '' GROUP BY kind")
    return Counter(dict(found))


@transaction.atomic
def put_next(on: date, *, most: int = 2000) -> int | None:
    """Write some of what was laid out, notices and messages; give how many messages, None: done.

    To be called until it gives None. What a killed process has not written, the next one will.
    """
    (first, last), *_ = engine.rows(
        "SELECT min(id), max(id) "
        "FROM (SELECT id FROM notice_now ORDER BY id LIMIT %(most)s) AS found",
        {"most": most},
    )
    if last is None:
        return None
    put = _write(on, first, last)
    engine.execute("DELETE FROM notice_now WHERE id <= %(last)s", {"last": last})
    return put


@transaction.atomic
def notify_set(kind: str, select: str, values: engine.Values, *, on: date) -> int:
    """Tell whom a SELECT names; give how many messages were put.

    It gives the columns account, subject, period and threshold, in this order, and uses `values`
    of any names but `telling_kind`. The kind's facts are gathered when the letter is written.
    """
    if kind_of(kind).facts:
        raise ValueError(f"notices of {kind} need facts, which a SELECT does not give")
    _make_table()
    engine.execute(
        f"""INSERT INTO notice_now (kind, account_id, subject, period, threshold)
            SELECT %(telling_kind)s, it.* FROM ({select}) it""",  # noqa: S608 - our own words
        {**values, "telling_kind": kind},
    )
    _leave_out_told()
    return _write(on, 0, _END)


def _line(telling: Telling) -> tuple[object, ...]:
    if not telling.why_not:
        _check(telling)
    return (
        telling.kind,
        telling.account,
        telling.subject,
        telling.period.isoformat(),
        telling.threshold,
        json.dumps(plain(telling.facts)),
        telling.why_not,
    )


def _check(telling: Telling) -> None:
    missing = [name for name in kind_of(telling.kind).facts if name not in telling.facts]
    if missing:
        raise ValueError(f"a notice of {telling.kind} lacks {', '.join(missing)}")


_AT_ONCE = 5000
_END = 2**62

_COLUMNS = ("kind", "account_id", "subject", "period", "threshold", "facts", "why_not")

_KEY = (
    "'notice/' || t.kind || '/' || t.account_id || '/' || t.subject || '/' || t.period"
    " || '/' || t.threshold"
)
_PAYLOAD = (
    """'{"kind": "' || t.kind || '", "account": ' || t.account_id || ', "subject": ' || t.subject"""
    """ || ', "period": "' || t.period || '", "threshold": ' || t.threshold"""
    """ || ', "facts": ' || t.facts || '}'"""
)


def _make_table() -> None:
    key = "bigint GENERATED ALWAYS AS IDENTITY" if engine.on_postgresql() else "integer PRIMARY KEY"
    engine.scratch(
        "notice_now",
        f"id {key}, kind varchar(40), account_id bigint, subject bigint, period varchar(10), "
        "threshold integer, facts text DEFAULT '{}', why_not varchar(40) DEFAULT ''",
    )


def _leave_out_told() -> None:
    engine.execute(
        f"""DELETE FROM notice_now AS t WHERE EXISTS (
                SELECT 1 FROM billing_notice n
                WHERE n.account_id = t.account_id AND n.kind = t.kind AND n.subject = t.subject
                  AND n.period = {_period()} AND n.threshold = t.threshold)"""  # noqa: S608
    )


def _period() -> str:
    return "CAST(t.period AS date)" if engine.on_postgresql() else "t.period"


def _write(on: date, first: int, last: int) -> int:
    """Write the notices of a part of `notice_now`, and their messages."""
    period = _period()
    values = {
        "on": on.isoformat(),
        "now": engine.moment(clock.now()),
        "channel": CHANNEL,
        "first": first,
        "last": last,
    }
    engine.execute(
        f"""INSERT INTO billing_notice
                (account_id, kind, subject, period, threshold, "on", message, why_not)
            SELECT t.account_id, t.kind, t.subject, {period}, t.threshold, {engine.day("on")},
                   CASE WHEN t.why_not = '' THEN {_KEY} ELSE '' END, t.why_not
            FROM notice_now t WHERE t.id BETWEEN %(first)s AND %(last)s
            ON CONFLICT DO NOTHING""",  # noqa: S608
        values,
    )
    json_type = "jsonb" if engine.on_postgresql() else "text"
    return engine.execute(
        f"""INSERT INTO outbox_message
                (channel, dedupe_key, "group", topic, sender, recipients, outstanding, refused,
                 subject, headers, body, payload, created, state, attempts, next_try, lease_owner,
                 last_error)
            SELECT %(channel)s, {_KEY}, %(channel)s || ' ' || t.kind,
                   'account ' || t.account_id, '', '[]', '[]', '{{}}', '', '[]', '',
                   CAST({_PAYLOAD} AS {json_type}), %(now)s, 'queued', 0, %(now)s, '', ''
            FROM notice_now t
            WHERE t.why_not = '' AND t.id BETWEEN %(first)s AND %(last)s
            ON CONFLICT DO NOTHING""",  # noqa: S608
        values,
    )
