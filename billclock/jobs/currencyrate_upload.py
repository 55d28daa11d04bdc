"""currencyrate.upload: fetch the rates of currency pairs and store those that can be believed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from billclock import clock
from billclock.billing import currencies
from billclock.billing.currencies import Pair, Rate, RatePair
from billclock.billing.errors import BillingError, SourceError
from billclock.billing.rates import formula as formulas
from billclock.billing.rates import sources
from billclock.billing.rates.base import Sheet, Wanted
from billclock.billing.rates.judging import Decision, Offer, Verdict, judge
from billclock.billing.rates.sources import Origin
from billclock.jobs import sections
from billclock.jobs.job import Program
from billclock.jobs.registry import job
from billclock.jobs.report import Report, Tally

NAME = "currencyrate.upload"
MOST_LISTED = 5


@dataclass(frozen=True, slots=True)
class Order:
    """One pair's upload: its source, formula and guard, the day, and what was allowed."""

    pair: Pair
    origin: Origin
    formula: str
    guard: int
    on: date
    replace: bool
    confirm: bool


def pairs_held(options: Mapping[str, str]) -> str:
    """Give the pairs a run works on in one spelling, so that 153/50 and USD/EUR are the same."""
    names = []
    for text in options.get("plid", "").split(","):
        try:
            names.append(str(currencies.find_pair(text)))
        except BillingError:
            names.append(text.strip())
    return ",".join(sorted(names))


@job(
    name=NAME,
    rows=(24,),
    section=sections.FINANCE,
    title="BILLmanager upload currency rates",
    meaning="Uploading the exchange rates of currency pairs (plid = currency / target)",
    program=Program.MGRCTL,
    arguments=f"-m billmgr {NAME} upload=on sok=ok plid=153/50",
    quiet=False,
    scope=pairs_held,
)
def upload(
    *,
    on: date,
    dry_run: bool,
    confirm: bool,
    explain: str,
    plid: str = "",
    source: str = "",
    formula: str | None = None,
    replace: bool = False,
) -> Report:
    """Upload the rates of `plid` (pairs with commas; empty: all that have settings) up to `on`.

    `source` and `formula` are used instead of the pair's settings. A rate that is known stays
    unless `replace`. Days without a rate since the last known one are fetched too. A change
    beyond the pair's guard stores nothing of that day and fails until `confirm`.
    """
    tally = Tally(NAME)
    if explain:
        return _explained(tally, explain, on)
    for text in _pairs(plid):
        with tally.isolated(text.strip()):
            made = currencies.settings_of(currencies.find_pair(text))
            order = Order(
                made.pair,
                sources.origin(source or made.source),
                made.formula if formula is None else formula,
                made.guard,
                on,
                replace,
                confirm,
            )
            _upload(order, tally, dry_run=dry_run)
    return tally.report()


def _pairs(plid: str) -> Sequence[str]:
    pairs = plid.split(",") if plid else [str(made.pair) for made in RatePair.objects.all()]
    if not pairs:
        raise BillingError("no pair has settings yet", "name one, such as plid=153/50")
    return pairs


def _upload(order: Order, tally: Tally, *, dry_run: bool) -> None:
    formulas.steps(order.formula)
    known = Rate.objects.of(order.pair).current().by(order.on).first()
    if known and known.on == order.on and not order.replace:
        tally.unchanged += 1
        tally.say(f"{order.pair}: {known.value:f} from {known.source} is known for {order.on}")
        return
    offers = _offers(order, known)
    decisions = _judged(order, offers)
    taken = [d for d in decisions if d.verdict in {Verdict.NEW, Verdict.REPLACED}]
    if taken and not dry_run:
        currencies.store(order.pair, decisions, source=str(order.origin), formula=order.formula)
    _tell(order, decisions, taken, known, tally, dry_run=dry_run)


def _offers(order: Order, known: Rate | None) -> list[Offer]:
    """Fetch the days after the last known one; where none is known, the latest day there is."""
    first = min(order.on, known.on + timedelta(days=1)) if known else order.on
    codes = frozenset((order.pair.currency, order.pair.target))
    today = max(order.on, clock.today(clock.server_zone()))
    sheets = sources.gather(order.origin, Wanted(first, order.on, codes, today))
    past = _believable(order, sheets)
    wanted = [sheet for sheet in past if sheet.on >= first]
    if known is None and not wanted:
        wanted = past[-1:]
    offers = [offer for sheet in wanted if (offer := _offer(order, sheet))]
    if wanted and not offers:
        raise SourceError(str(order.origin), f"no rate of {order.pair} in it", retry=False)
    return offers


def _believable(order: Order, sheets: Sequence[Sheet]) -> list[Sheet]:
    """Give the sheets up to the day; raise SourceError where there are none or only old ones."""
    past = [sheet for sheet in sheets if sheet.on <= order.on]
    if sheets and not past:
        raise SourceError(
            str(order.origin), f"only rates of days to come, from {sheets[0].on} on", retry=True
        )
    if not past:
        raise SourceError(str(order.origin), f"no rates up to {order.on}", retry=True)
    age = (order.on - past[-1].on).days
    if age > order.origin.longest_gap:
        raise SourceError(
            str(order.origin), f"its last rates are of {past[-1].on}, {age} days old", retry=True
        )
    return past


def _offer(order: Order, sheet: Sheet) -> Offer | None:
    rate = sheet.cross(order.pair.currency, order.pair.target)
    if rate is None:
        return None
    return Offer(sheet.on, formulas.rounded(rate), formulas.apply(order.formula, rate))


def _judged(order: Order, offers: Sequence[Offer]) -> list[Decision]:
    if not offers:
        return []
    rates = Rate.objects.of(order.pair).current()
    before = rates.by(offers[0].on - timedelta(days=1)).first()
    known = {rate.on: rate.value for rate in rates.filter(on__gte=offers[0].on)}
    return judge(
        offers,
        known,
        before.value if before else None,
        guard=order.guard,
        replace=order.replace,
        confirm=order.confirm,
    )


def _tell(
    order: Order,
    decisions: Sequence[Decision],
    taken: Sequence[Decision],
    known: Rate | None,
    tally: Tally,
    *,
    dry_run: bool,
) -> None:
    would = "would be stored" if dry_run else "stored"
    if taken:
        tally.done += len(taken)
        count = "1 rate" if len(taken) == 1 else f"{len(taken)} rates"
        tally.say(f"{order.pair}: {count} {would} from {order.origin}")
        for decision in taken[-MOST_LISTED:]:
            tally.say(f"  {_told(decision)}")
    elif known and not decisions:
        tally.unchanged += 1
        tally.say(f"{order.pair}: nothing new; {known.value:f} of {known.on} still holds")
    tally.unchanged += sum(d.verdict in {Verdict.SAME, Verdict.KEPT} for d in decisions)
    held = [decision for decision in decisions if decision.verdict is Verdict.HELD]
    tally.figures[str(order.pair)] = {
        "rates": {str(d.offer.on): f"{d.offer.value:f}" for d in taken},
        "held": {str(d.offer.on): f"{d.offer.value:f}" for d in held},
    }
    if held:
        listed = "; ".join(_told(decision) for decision in held[:MOST_LISTED])
        raise BillingError(
            f"{len(held)} held back, a change of over {order.guard} %: {listed}",
            "look at the source, then run it again with --confirm (confirm=on)",
        )


def _told(decision: Decision) -> str:
    offer = decision.offer
    if decision.before is None:
        return f"{offer.on}: {offer.value:f}"
    return f"{offer.on}: {decision.before:f} -> {offer.value:f} ({decision.change:+.2f} %)"


def _explained(tally: Tally, subject: str, on: date) -> Report:
    """Say which rate of a pair holds on a day and where it comes from, or would come from."""
    with tally.isolated(subject):
        pair = currencies.find_pair(subject)
        made = currencies.settings_of(pair)
        formula = f", formula {made.formula}" if made.formula else ""
        tally.say(f"{pair}: uploaded from {sources.origin(made.source)}{formula}")
        tally.say(f"a change of over {made.guard} % waits for --confirm")
        rate = currencies.rate(pair, on)
        tally.unchanged += 1
        tally.say(f"on {on} holds {rate.value:f}, the rate of {rate.on} from {rate.source}")
        if rate.quoted != rate.value:
            tally.say(f"published as {rate.quoted:f}, formula {rate.formula}")
        tally.say(f"stored at {rate.stored_at:%Y-%m-%d %H:%M:%S} UTC")
        for old in Rate.objects.of(pair).filter(on=rate.on).exclude(superseded_at=None):
            tally.say(f"it replaced {old.value:f} from {old.source}")
    return tally.report()
