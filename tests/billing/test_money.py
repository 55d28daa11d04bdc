"""Amounts are exact whole numbers, in Python and in both engines' SQL alike."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from billclock.billing import money
from billclock.billing.errors import AmountTextError, MoneyError, UnknownCurrencyError
from billclock.billing.money import MOST, Money
from tests import postgres

amounts = st.integers(-MOST, MOST)
prices = st.integers(-(10**15), 10**15)
parts = st.integers(1, 1200)
rates = st.integers(0, 1_000_000)
currencies = st.sampled_from(["EUR", "JPY", "KWD", "IQD", "RUB", "CHF", "UYW"])
locales = st.sampled_from(["en", "ru"])

Evaluate = Callable[[Sequence[str], Sequence[tuple[int, ...]]], list[tuple[object, ...]]]


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]
)
def evaluate(request) -> Iterator[Evaluate]:
    """Compute expressions of the columns a to d over rows of whole numbers, in an engine's SQL."""
    if request.param == "sqlite":
        connection = sqlite3.connect(":memory:")
        yield _evaluator(connection.execute, "?")
        connection.close()
        return
    with postgres.connected(request.getfixturevalue("postgres_database")) as connection:
        yield _evaluator(connection.execute, "%s")


def _evaluator(execute: Callable, mark: str) -> Evaluate:
    def evaluate(expressions, rows):
        execute("DROP TABLE IF EXISTS vectors")
        execute("CREATE TABLE vectors (n integer, a bigint, b bigint, c bigint, d bigint)")
        for number, row in enumerate(rows):
            filled = (number, *row, *[0] * (4 - len(row)))
            execute(f"INSERT INTO vectors VALUES ({', '.join([mark] * 5)})", filled)
        # A parameter is given so that a % sign in an expression would not pass.
        query = f"SELECT {', '.join(expressions)} FROM vectors WHERE n >= {mark} ORDER BY n"
        found = execute(query, (0,)).fetchall()
        execute("DROP TABLE vectors")
        return found

    return evaluate


# Money


def test_money_adds_subtracts_and_compares():
    five, two = Money(500, "EUR"), Money(200, "EUR")
    assert five + two == Money(700, "EUR")
    assert two - five == -Money(300, "EUR")
    assert two < five
    assert five > two
    assert two <= Money(200, "EUR") <= five
    assert five >= Money(500, "EUR") >= two
    assert not two > five
    assert not two >= five
    assert sorted([five, two]) == [two, five]
    assert len({five, Money(500, "EUR")}) == 1


@pytest.mark.parametrize(
    "act",
    [
        lambda a, b: a + b,
        lambda a, b: a - b,
        lambda a, b: a < b,
        lambda a, b: a <= b,
        lambda a, b: a > b,
        lambda a, b: a >= b,
    ],
)
def test_two_currencies_never_meet(act):
    with pytest.raises(MoneyError, match=r"5\.00 EUR and 500 JPY are of different currencies"):
        act(Money(500, "EUR"), Money(500, "JPY"))
    assert Money(500, "EUR") != Money(500, "USD")


def test_money_is_whole_bounded_and_of_a_known_currency():
    assert Money(MOST, "EUR").minor == -Money(-MOST, "EUR").minor
    with pytest.raises(MoneyError, match="beyond what the books hold"):
        Money(MOST, "EUR") + Money(1, "EUR")
    with pytest.raises(MoneyError):
        Money(-MOST - 1, "EUR")
    with pytest.raises(TypeError):
        Money(1.0, "EUR")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        Money(1, "EUR") + 1  # type: ignore[operator]
    for name in ("XXX", "eur", "EURO", "", "XAU"):
        with pytest.raises(UnknownCurrencyError):
            Money(1, name)


@pytest.mark.parametrize(
    ("currency", "decimals"), [("JPY", 0), ("EUR", 2), ("IQD", 3), ("KWD", 3), ("CLF", 4)]
)
def test_exponents_are_isos(currency, decimals):
    assert money.exponent(currency) == decimals


@pytest.mark.parametrize(
    ("minor", "currency", "english", "russian"),
    [
        (-123450, "EUR", "-€1,234.50", "-1 234,50 €"),
        (5, "EUR", "€0.05", "0,05 €"),
        (123450, "JPY", "¥123,450", "123 450 ¥"),
        (1234567, "IQD", "IQD 1,234.567", "1 234,567 IQD"),
        (100, "RUB", "RUB 1.00", "1,00 ₽"),
        (MOST, "EUR", "€92,233,720,368,547,758.07", "92 233 720 368 547 758,07 €"),
    ],
)
def test_amounts_are_shown_as_people_write_them(minor, currency, english, russian):
    amount = Money(minor, currency)
    assert amount.shown("en").replace("\u00a0", " ") == english
    assert amount.shown("ru").replace("\u00a0", " ") == russian


@given(amounts, currencies, locales)
def test_what_is_shown_is_read_back(minor, currency, locale):
    amount = Money(minor, currency)
    assert money.parse(amount.shown(locale), currency, locale) == amount
    assert money.parse(str(amount), currency, locale) == amount
    assert money.parse(money.plain(minor, money.exponent(currency)), currency, locale) == amount


@pytest.mark.parametrize(
    ("text", "currency", "locale", "minor"),
    [
        ("1,234.50", "EUR", "en", 123450),
        ("1,234.50", "EUR", "ru", 123450),
        ("1 234,50", "EUR", "ru", 123450),
        ("1'234.5", "EUR", "en", 123450),
        (" +7 ", "EUR", "en", 700),
        ("\u22127", "EUR", "en", -700),
        (".5", "EUR", "en", 50),
        ("1,234", "EUR", "en", 123400),
        ("1,234", "KWD", "ru", 1234),
        ("-EUR 3", "EUR", "en", -300),
        ("0", "JPY", "en", 0),
        ("00012", "JPY", "en", 12),
    ],
)
def test_typed_amounts_are_read(text, currency, locale, minor):
    assert money.parse(text, currency, locale) == Money(minor, currency)


@pytest.mark.parametrize(
    ("text", "currency", "locale", "why"),
    [
        ("", "EUR", "en", "is empty"),
        ("  ", "EUR", "en", "is empty"),
        ("-", "EUR", "en", "is no amount"),
        (".", "EUR", "en", "is no amount"),
        ("5.", "EUR", "en", "is no amount"),
        ("1e5", "EUR", "en", "is no amount"),
        ("NaN", "EUR", "en", "is no amount"),
        ("--5", "EUR", "en", "is no amount"),
        ("1,50", "EUR", "en", "is no amount"),
        ("12,34,567", "EUR", "en", "is no amount"),
        ("1,234 567", "EUR", "en", "is no amount"),
        ("1.234.567", "EUR", "en", "is no amount"),
        ("1,234,567", "EUR", "ru", "is no amount"),
        ("5 USD", "EUR", "en", "is no amount"),
        ("\u0663", "EUR", "en", "is no amount"),
        ("1,234", "EUR", "ru", "has 3 decimals, EUR has 2"),
        ("1.000", "EUR", "en", "has 3 decimals, EUR has 2"),
        ("1.5", "JPY", "en", r"has 1 decimals, JPY has 0; write digits such as 1234$"),
        ("9" * 5000, "EUR", "en", "is too long"),
    ],
)
def test_a_text_that_is_no_amount_is_refused_with_the_reason(text, currency, locale, why):
    with pytest.raises(AmountTextError, match=why):
        money.parse(text, currency, locale)


def test_an_amount_beyond_the_books_is_refused():
    assert money.parse("92233720368547758.07", "EUR") == Money(MOST, "EUR")
    with pytest.raises(MoneyError, match="beyond"):
        money.parse("92233720368547758.08", "EUR")


@given(st.text(max_size=80), currencies, locales)
def test_any_text_is_read_or_refused(text, currency, locale):
    with suppress(MoneyError):
        assert money.parse(text, currency, locale).currency == currency


# Rounding


@given(st.integers(), st.integers(1, 10**20))
def test_rounding_is_to_the_nearest_and_halves_go_away_from_zero(numerator, denominator):
    rounded = money.round_half_away(numerator, denominator)
    exact = Fraction(numerator, denominator)
    off = abs(rounded - exact)
    assert off < Fraction(1, 2) or (off == Fraction(1, 2) and abs(rounded) > abs(exact))
    assert rounded == -money.round_half_away(-numerator, denominator)


@pytest.mark.parametrize("denominator", [0, -1])
def test_rounding_needs_a_denominator_above_zero(denominator):
    with pytest.raises(MoneyError, match="cannot divide"):
        money.round_half_away(1, denominator)


@pytest.mark.parametrize(
    ("micro", "decimals", "quantity", "minor"),
    [
        (104_800, 2, 1, 10),  # 0.1048 a day
        (5_000, 2, 1, 1),  # half a cent
        (4_999, 2, 1, 0),
        (-5_000, 2, 1, -1),
        (4_300, 2, 24, 10),  # 0.1032 for the hours of a day
        (4_300, 2, 25, 11),  # 0.1075
        (1_500_000, 0, 1, 2),
        (1_234_567, 3, 1, 1_235),
        (1_234_567, 6, 1, 1_234_567),
    ],
)
def test_unit_prices_become_minor_units_once(micro, decimals, quantity, minor):
    assert money.from_micro(micro, decimals, quantity) == minor


def test_unit_prices_keep_the_bounds():
    with pytest.raises(MoneyError, match="beyond"):
        money.from_micro(MOST, 6, 2)
    for decimals in (-1, 7):
        with pytest.raises(MoneyError, match="decimals"):
            money.from_micro(1, decimals)


# Shares


@given(amounts, parts)
def test_shares_add_up_and_differ_by_one_at_most(price, count):
    shares = [money.share(price, count, part) for part in range(1, count + 1)]
    assert sum(shares) == price
    assert max(shares) - min(shares) <= 1
    assert shares == [-money.share(-price, count, part) for part in range(1, count + 1)]


@given(amounts, parts, st.data())
def test_a_span_is_the_sum_of_its_shares(price, count, data):
    start = data.draw(st.integers(0, count))
    end = data.draw(st.integers(start, count))
    shares = [money.share(price, count, part) for part in range(start + 1, end + 1)]
    assert money.span(price, count, start, end) == sum(shares)


def test_shares_follow_the_formula_of_the_books():
    def before(price, days, day):
        return (2 * price * day + days) // (2 * days)

    for days in (28, 29, 30, 31):
        for price in (0, 1, 15, 1000, 999_999_999_999):
            for day in range(1, days + 1):
                expected = before(price, days, day) - before(price, days, day - 1)
                assert money.share(price, days, day) == expected


@pytest.mark.parametrize(("count", "part"), [(30, 0), (30, 31), (0, 0), (0, 1), (-1, 1), (30, -1)])
def test_there_are_no_parts_outside_of_a_price(count, part):
    with pytest.raises(MoneyError, match="no parts"):
        money.share(100, count, part)


def test_there_is_no_span_backwards_or_of_nothing():
    for span in ((30, 5, 4), (30, -1, 4), (30, 4, 31), (0, 0, 0)):
        with pytest.raises(MoneyError, match="no parts"):
            money.span(100, *span)


# Tax


@pytest.mark.parametrize(
    ("amount", "ppm", "contained", "on_top"),
    [
        (12_000, 200_000, 2_000, 2_400),
        (100, 190_000, 16, 19),
        (3, 200_000, 1, 1),  # 0.5 contained, 0.6 on top
        (-3, 200_000, -1, -1),
        (1, 500_000, 0, 1),
        (5, 0, 0, 0),
        (0, 200_000, 0, 0),
    ],
)
def test_tax_rounds_half_away_from_zero(amount, ppm, contained, on_top):
    assert money.tax_in_gross(amount, ppm) == contained
    assert money.tax_on_net(amount, ppm) == on_top


@given(prices, rates)
def test_the_tax_on_a_net_amount_is_in_its_gross(net, ppm):
    tax = money.tax_on_net(net, ppm)
    assert money.tax_in_gross(net + tax, ppm) == tax
    assert money.tax_on_net(-net, ppm) == -tax


# Spreading


@given(amounts, st.lists(st.integers(0, 10**12), min_size=1, max_size=40))
def test_a_total_is_spread_without_a_rest_and_each_gets_its_due(total, weights):
    assume(any(weights))
    spread = money.spread(total, weights)
    assert sum(spread) == total
    for amount, weight in zip(spread, weights, strict=True):
        assert abs(amount - Fraction(total * weight, sum(weights))) < 1
        assert weight or not amount
    assert money.spread(-total, weights) == [-amount for amount in spread]


def test_the_largest_remainders_get_the_rest_and_of_equal_ones_the_first():
    assert money.spread(10, [1, 1, 1]) == [4, 3, 3]
    assert money.spread(100, [1, 2, 3]) == [17, 33, 50]
    assert money.spread(2, [1, 0, 1, 1]) == [1, 0, 1, 0]
    assert money.spread(0, [0, 0]) == [0, 0]
    assert money.spread(0, []) == []


@pytest.mark.parametrize(("total", "weights"), [(1, []), (1, [0, 0]), (1, [2, -1]), (0, [-1])])
def test_what_cannot_be_spread_is_refused(total, weights):
    with pytest.raises(MoneyError, match="cannot be spread"):
        money.spread(total, weights)


# SQL


LARGEST = 2**62 - 1
EDGES = (0, 1, 2, 5, 15, 999, 1000, 1001, 123_457, 10**9, LARGEST // 1200, LARGEST // 31, LARGEST)
BOTH = sorted({sign * edge for edge in EDGES for sign in (1, -1)})


def test_sql_rounds_as_python_does(evaluate):
    rows = [(n, d) for n in BOTH for d in (1, 2, 3, 7, 30, 31, 1_000_000, LARGEST)]
    found = evaluate([money.round_half_away_sql("a", "b")], rows)
    assert found == [(money.round_half_away(n, d),) for n, d in rows]


def test_sql_knows_what_it_may_multiply(evaluate):
    factors = (0, 1, 2, 30, 31, 1200, 200_000, 2**31, LARGEST)
    rows = [(a, b) for a in (*BOTH, MOST, -MOST, -MOST - 1) for b in factors]
    found = evaluate([money.product_fits_sql("a", "b")], rows)
    assert [bool(fits) for (fits,) in found] == [money.product_fits(a, b) for a, b in rows]
    assert money.product_fits(LARGEST, 1)
    assert not money.product_fits(LARGEST + 1, 1)
    assert 2 * LARGEST < 2**63 <= 2 * (LARGEST + 1)


def test_sql_shares_as_python_does(evaluate):
    rows = [
        (price, count, part)
        for price in BOTH
        for count in (1, 2, 28, 29, 30, 31, 365, 366, 1096)
        for part in {1, 2, count // 2, count - 1, count}
        if money.product_fits(price, count) and 1 <= part <= count
    ]
    found = evaluate(
        [money.share_sql("a", "b", "c"), money.span_sql("a", "b", "c", "b")],
        rows,
    )
    assert found == [(money.share(*row), money.span(*row, row[1])) for row in rows]


def test_sql_shares_add_up(evaluate):
    price = LARGEST // 31
    found = evaluate([money.share_sql("a", "31", "b")], [(price, day) for day in range(1, 32)])
    assert sum(amount for (amount,) in found) == price


def test_sql_taxes_as_python_does(evaluate):
    rows = [
        (amount, ppm)
        for amount in BOTH
        for ppm in (0, 1, 55_000, 190_000, 200_000, 333_333, 500_000, 1_000_000)
        if money.product_fits(amount, ppm)
    ]
    found = evaluate([money.tax_in_gross_sql("a", "b"), money.tax_on_net_sql("a", "b")], rows)
    assert found == [(money.tax_in_gross(*row), money.tax_on_net(*row)) for row in rows]


def test_sql_turns_unit_prices_as_python_does(evaluate):
    rows = [
        (micro, decimals, quantity)
        for micro in BOTH
        for decimals in range(7)
        for quantity in (0, 1, 23, 24, 25, 10_000)
        if money.product_fits(micro, quantity)
    ]
    found = evaluate([money.from_micro_sql("a", "b", "c")], rows)
    assert found == [(money.from_micro(*row),) for row in rows]


def test_sql_is_wide_enough_for_small_columns(evaluate):
    narrow = "CAST(a AS integer)"
    rows = [(2_000_000_000, 30)]
    found = evaluate(
        [
            money.share_sql(narrow, "CAST(b AS smallint)", "CAST(b AS smallint)"),
            money.tax_on_net_sql(narrow, "200000"),
            money.from_micro_sql(narrow, "2", "CAST(b AS integer)"),
            money.product_fits_sql(narrow, "CAST(b AS smallint)"),
        ],
        rows,
    )
    assert [int(value) for value in found[0]] == [
        money.share(2_000_000_000, 30, 30),
        400_000_000,
        money.from_micro(2_000_000_000, 2, 30),
        1,
    ]


@given(prices, parts, rates, st.integers(0, 6), st.data())
def test_sqlite_agrees_everywhere_it_is_allowed(price, count, ppm, decimals, data):
    part = data.draw(st.integers(1, count))
    assume(money.product_fits(price, max(count, ppm)))
    query = ", ".join(
        [
            money.share_sql(str(price), str(count), str(part)),
            money.tax_in_gross_sql(str(price), str(ppm)),
            money.tax_on_net_sql(str(price), str(ppm)),
            money.from_micro_sql(str(price), str(decimals), str(count)),
        ]
    )
    connection = sqlite3.connect(":memory:")
    found = connection.execute(f"SELECT {query}").fetchone()
    connection.close()
    assert found == (
        money.share(price, count, part),
        money.tax_in_gross(price, ppm),
        money.tax_on_net(price, ppm),
        money.from_micro(price, decimals, count),
    )
