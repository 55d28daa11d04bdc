"""The forms of what staff is asked to do, of jobs by their titles, and of letters' kinds."""

from billclock.billing.notice_kinds import KINDS
from billclock.jobs import registry

FORMS = (
    "Tell account %(number)s: %(what)s",
    "%(bank)s: %(sum)s of %(year)d-%(month)d-%(day)d, %(who)s: %(why)s",
    "%(number)s: its money was taken a second time",
    (
        "%(gateway)s at %(method)s is on the account as well: give it back or leave it there, as"
        " the client likes"
    ),
    "%(method)s tells of %(event)s %(gateway)s: %(why)s",
    "%(number)s: refunded at %(method)s",
    "%(number)s: refund_failed at %(method)s",
    "%(number)s: disputed at %(method)s",
    "%(number)s: dispute_won at %(method)s",
    "%(sum)s more than was paid are gone, and on nobody's account",
    "renewed",
    "no open request's reference, account or payer is in it",
    "only the payer's name and the amount agree",
    "integer overflow",
    *(kind.title for kind in KINDS.values()),
    *(job.title for job in registry.all_jobs() if job.built),
)
