"""The outbox channel `letter`: finds a notice's readers, writes to each of them, sends by mail."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from billclock.billing.clients import Account, Contact
from billclock.billing.errors import BillingError
from billclock.billing.facts import Facts
from billclock.billing.letters import papers, readers
from billclock.billing.letters.composing import Composer
from billclock.billing.letters.gathering import gather
from billclock.billing.letters.news import News, NoLongerSoError
from billclock.billing.letters.readers import Readers
from billclock.billing.notice_kinds import KINDS, Kind
from billclock.billing.notifications import CHANNEL
from billclock.outbox.channels import Answer, ChannelError, Fate, Letter, register
from billclock.outbox.channels.mail import Mail


@register
class Letters:
    """Writes letters and sends them as mail, all of a round over one connection."""

    name = CHANNEL

    def __init__(self) -> None:
        self._mail = Mail()
        self._composer = Composer()

    def unready(self) -> str:
        """Say what keeps mail from leaving."""
        return self._mail.unready()

    def send(self, letter: Letter, recipients: Sequence[str]) -> Answer:
        """Send a notice's letter to its readers, or again to those who could not take it."""
        kind = KINDS.get(str(letter.payload["kind"]))
        if kind is None:
            return Answer(unsent=f"this version has no letters of kind {letter.payload['kind']}")
        news = _news(letter)
        found = readers.readers(news.account, kind)
        people = found.people
        if recipients:
            people = [contact for contact in people if contact.email.strip() in recipients]
        if not people:
            return _unread(found, kind)
        try:
            facts = gather(news)
        except NoLongerSoError as error:
            return Answer(unsent=f"no longer so: {error}", fate=Fate.DROPPED)
        try:
            mails = self._mails(letter, news, kind, facts, people)
        except BillingError as error:
            return Answer(unsent=str(error))
        return self._send(mails)

    def close(self) -> None:
        """Take leave of the relay."""
        self._mail.close()

    def _mails(
        self, letter: Letter, news: News, kind: Kind, facts: Facts, people: Sequence[Contact]
    ) -> list[Letter]:
        attached, key, at = papers.enclosed(news), letter.dedupe_key, letter.at
        return [
            self._composer.compose(news, kind, facts, contact, key=key, at=at, attached=attached)
            for contact in people
        ]

    def _send(self, mails: Sequence[Letter]) -> Answer:
        """Hand the mails over one by one; what fails after the first is delayed, not repeated."""
        refused: dict[str, str] = {}
        delayed: dict[str, str] = {}
        for place, mail in enumerate(mails):
            try:
                answer = self._mail.send(mail, mail.recipients)
            except ChannelError as error:
                if not place:
                    raise
                rest = [address for later in mails[place:] for address in later.recipients]
                delayed |= dict.fromkeys(rest, str(error))
                break
            refused |= answer.refused
            delayed |= answer.delayed
        addressed = tuple(address for mail in mails for address in mail.recipients)
        return Answer(refused, delayed, addressed, mails[0].subject)


def _unread(found: Readers, kind: Kind) -> Answer:
    """Say why a letter goes to nobody; one that must be known is a failure then."""
    why = found.why_nobody or "those who could not take it are no readers any more"
    if found.unwanted:
        return Answer(unsent=why, fate=Fate.UNWANTED)
    return Answer(unsent=why, fate=Fate.DROPPED if kind.optional else Fate.FAILED)


def _news(letter: Letter) -> News:
    told = letter.payload
    accounts = Account.objects.select_related("client", "provider", "funds")
    return News(
        account=accounts.get(pk=told["account"]),
        kind=told["kind"],
        subject=told["subject"],
        period=date.fromisoformat(told["period"]),
        threshold=told["threshold"],
        facts=told["facts"],
    )
