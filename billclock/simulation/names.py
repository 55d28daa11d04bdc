"""What the demonstration's clients are called: people and firms, made of words by their number."""

from __future__ import annotations

from dataclasses import astuple, dataclass

from billclock.billing import engine


@dataclass(frozen=True, slots=True)
class Words:
    """A language's words, of which a name takes one each; `firm` says in which order."""

    given: tuple[str, ...]
    family: tuple[str, ...]
    firms: tuple[str, ...]
    trades: tuple[str, ...]
    forms: tuple[str, ...]
    firm: str = "{firm} {trade} {form}"


GERMAN = Words(
    ("Anna", "Jonas", "Mia", "Lukas", "Hannah", "Emre", "Sophie", "Paul", "Katarzyna", "Jürgen",
     "Leyla"),
    ("Müller", "Schneider", "Weiß", "Yılmaz", "Becker", "Hoffmann", "Kowalski", "Schäfer", "Krüger",
     "Nguyen", "Vogt", "Brandt", "Lindner"),
    ("Nordlicht", "Alpenblick", "Rheinkontor", "Lindenhof", "Schwarzwald", "Hafenkante",
     "Morgenrot"),
    ("Druckerei", "Logistik", "Gartenbau", "Software", "Reisen"),
    ("GmbH", "KG", "e. K."),
)  # fmt: skip
FRENCH = Words(
    ("Camille", "Louis", "Chloé", "Hugo", "Inès", "Théo", "Amélie", "Karim", "Élise", "Mathieu",
     "Noémie"),
    ("Martin", "Lefèvre", "Dubois", "Benali", "Moreau", "Garnier", "Fontaine", "Le Gall",
     "Chevalier", "Perrin", "Marchand", "Costa", "Roussel"),
    ("Beaulieu", "Grand Large", "Val Fleuri", "Mirabelle", "Clairefontaine", "Petit Phare",
     "Montagne Verte"),
    ("Imprimerie", "Transports", "Librairie", "Conseil", "Traiteur"),
    ("SARL", "SAS", "SA"),
    "{trade} {firm} {form}",
)  # fmt: skip
ENGLISH = Words(
    ("Emily", "James", "Olivia", "Mateo", "Grace", "Noah", "Aisha", "Ethan", "Mei", "Sean",
     "Priya"),
    ("Carter", "O'Brien", "Nguyen", "García", "Walker", "Patel", "Bennett", "Kim", "Sullivan",
     "Hughes", "Okafor", "Reed", "Rossi"),
    ("Blue Harbor", "Redwood", "Copper Hill", "Maple Street", "Lakeside", "Northgate",
     "Silver Oak"),
    ("Printing", "Freight", "Analytics", "Bakery", "Outdoor"),
    ("LLC", "Inc.", "Co."),
)  # fmt: skip
RUSSIAN = Words(
    ("Анна", "Дмитрий", "Ольга", "Сергей", "Мария", "Алексей", "Ирина", "Михаил", "Дарья", "Тимур",
     "Оксана"),
    ("Шевченко", "Черных", "Бондаренко", "Седых", "Мельник", "Коваль", "Савченко", "Долгих",
     "Гончар", "Литвин", "Живаго", "Марченко", "Руденко"),
    ("Северный ветер", "Полярная звезда", "Тихая гавань", "Зелёный мыс", "Кедр", "Маяк", "Рассвет"),
    ("Типография", "Логистика", "Студия", "Мастерская", "Издательство"),
    ("ООО", "АО", "ИП"),
    "{form} «{trade} {firm}»",
)  # fmt: skip

LANGUAGES = {"DE": GERMAN, "FR": FRENCH, "US": ENGLISH, "ru": RUSSIAN}
"""By a client's country, or the language it reads letters in where that is Russian."""

PEOPLE, FIRMS = 0, 1


def lay_out() -> None:
    """Fill this connection's table `names`: by language and whether a firm, numbered from 0."""
    engine.scratch(
        "names",
        "language varchar(2), firm integer, place integer, places integer, name varchar(200), "
        "PRIMARY KEY (language, firm, place)",
    )
    lines = []
    for language, words in LANGUAGES.items():
        for firm, made in ((PEOPLE, _people(words)), (FIRMS, _firms(words))):
            lines += [(language, firm, place, len(made), name) for place, name in enumerate(made)]
    engine.insert("names", ("language", "firm", "place", "places", "name"), lines)


def _people(words: Words) -> list[str]:
    return [f"{given} {family}" for family in words.family for given in words.given]


def _firms(words: Words) -> list[str]:
    _, _, firms, trades, forms, order = astuple(words)
    return [
        order.format(firm=firm, trade=trade, form=form)
        for form in forms
        for trade in trades
        for firm in firms
    ]
