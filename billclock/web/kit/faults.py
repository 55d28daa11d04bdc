"""What an error of billing says to who made it: amounts as people write them."""

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from billclock.billing.errors import NotEnoughMoneyError
from billclock.billing.money import Money
from billclock.web.retold import retold
from billclock.web.visible import visible


def said(error: Exception) -> str:
    """Give an error in a sentence, safe to look at."""
    if isinstance(error, NotEnoughMoneyError):
        language = get_language() or "en"
        return _(
            "Account %(owner)s cannot pay %(need)s: it has %(have)s to spend. Top it up, or raise "
            "its credit limit."
        ) % {
            "owner": visible(error.owner),
            "need": Money(error.amount, error.currency).shown(language),
            "have": Money(error.have, error.currency).shown(language),
        }
    return visible(retold(str(error)))
