"""To whom the demonstration's firms have their invoices made out: addresses, tax numbers, banks."""

from __future__ import annotations

from stdnum import luhn
from stdnum.iso7064 import mod_11_10

from billclock.billing import engine

PLACES = 97
STREETS = {
    "DE": ("Hauptstraße", "Lindenallee", "Am Hafen", "Goethestraße", "Mühlenweg", "Ringstraße"),
    "FR": ("rue de la Gare", "avenue Foch", "quai du Port", "rue des Lilas", "place du Marché"),
    "US": ("Main Street", "Harbor Drive", "2nd Avenue", "Oak Lane", "Mission Street"),
}
TOWNS = {
    "DE": ("20095 Hamburg", "04109 Leipzig", "80331 München", "50667 Köln", "28195 Bremen",
           "90402 Nürnberg", "70173 Stuttgart"),
    "FR": ("69002 Lyon", "44000 Nantes", "67000 Strasbourg", "33000 Bordeaux", "75011 Paris"),
    "US": ("Portland, OR 97204", "Austin, TX 78701", "Boston, MA 02108", "Denver, CO 80202"),
}  # fmt: skip

# An IBAN's check digits: 98 less the number modulo 97, of which the account's part is counted alone
_BANK = 10010010
_CONSTANT = (_BANK * 10**16 + 10**9 * 10**6 + 131400) % 97
_STEP = 10**6 % 97
_CHECK = f"(98 - ({_CONSTANT} + n * {_STEP}) %% 97)"
IBAN = (
    f"'DE' || CASE WHEN {_CHECK} < 10 THEN '0' ELSE '' END || {_CHECK} || '{_BANK}'"
    " || (1000000000 + n)"
)
"""A German account's number by n, valid; others are not told."""


def make(values: engine.Values) -> None:
    """Give a payer to each client who is no private person; most of their numbers are confirmed."""
    _lay_out()
    engine.execute(
        f"""INSERT INTO billing_payer (client_id, kind, name, address, country, tax_number,
                tax_number_checked_at, iban)
            SELECT c.id, c.kind, c.name, p.address, c.country,
                   CASE WHEN c.kind = 2 THEN p.tax_number ELSE '' END,
                   CASE WHEN c.kind = 2 AND p.tax_number <> '' AND n %% 5 <> 2 THEN {NOW} END,
                   CASE c.country WHEN 'DE' THEN {IBAN} ELSE '' END
            FROM account_numbers
            JOIN billing_client c ON c.number = 'C' || n AND c.kind <> 1
            JOIN premises p ON p.country = c.country AND p.place = n %% {PLACES}
            ORDER BY n""",
        values,
    )


NOW = "%(now)s"


def _lay_out() -> None:
    """Fill this connection's table `premises`: by country, numbered from 0."""
    engine.scratch(
        "premises",
        "country varchar(2), place integer, address text, tax_number varchar(40), "
        "PRIMARY KEY (country, place)",
    )
    lines = [
        (country, place, _address(country, place), _tax_number(country, place))
        for country in STREETS
        for place in range(PLACES)
    ]
    engine.insert("premises", ("country", "place", "address", "tax_number"), lines)


def _address(country: str, place: int) -> str:
    street = STREETS[country][place % len(STREETS[country])]
    town = TOWNS[country][place // 3 % len(TOWNS[country])]
    house = 1 + place * 7 % 89
    return f"{street} {house}\n{town}" if country == "DE" else f"{house} {street}\n{town}"


def _tax_number(country: str, place: int) -> str:
    """Give a number with the check digits of its country; the United States have none."""
    match country:
        case "DE":
            body = f"{27500000 + place * 4513}"
            return f"DE{body}{mod_11_10.calc_check_digit(body)}"
        case "FR":
            body = f"{41200000 + place * 7919}"
            siren = f"{body}{luhn.calc_check_digit(body)}"
            return f"FR{(12 + 3 * (int(siren) % 97)) % 97:02}{siren}"
        case _:
            return ""
