"""A section of the back office: one declaration that list, form and detail are made of."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import translation
from django.utils.functional import Promise

from billclock.accounts.models import Role, User
from billclock.web.kit.columns import Column, Of, State, value_at
from billclock.web.kit.fields import Form
from billclock.web.kit.filters import Filter
from billclock.web.kit.panels import Panel
from billclock.web.kit.query import Search
from billclock.web.visible import visible

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Given:
    """Who does an act, and what its form was given; empty where it has none."""

    by: User
    request: HttpRequest
    values: Values


@dataclass(frozen=True, eq=False)
class Act:
    """Something done to rows, from the list to several or from a row's page to it alone.

    `do` takes a row and a Given, and calls an act of its area; it may give a sentence to show. A
    BillingError of one row is shown and keeps no other row from being acted on. `whole` acts are
    about no row: they stand above the list, and `do` gets None. `allowed` gives the reason why a
    row can't be acted on, else nothing. With `confirm` or `form` a page asks first; `page` names
    the address of a page of its own, which then asks about one row, or about none. `seen` gives
    what of a row the act changes: sent from a page that showed something else, it is not done.
    `leads` tells of which rows it is what is to be done first: there its button stands out.
    """

    name: str
    title: Promise | str
    do: Callable[[Any, Given], str | None]
    icon: str = "check"
    role: Role = Role.ROOT
    confirm: Promise | str = ""
    form: type[Form] | None = None
    allowed: Callable[[Any], Promise | str] | None = None
    whole: bool = False
    bulk: bool = True
    danger: bool = False
    page: str = ""
    seen: Callable[[Any], str] | None = None
    leads: Callable[[Any], bool] | None = None

    @property
    def asks(self) -> bool:
        """Tell whether a page comes before it is done."""
        return bool(self.confirm or self.form or self.page)

    def refusal(self, row: Any) -> str:
        """Give why a row can't be acted on."""
        return str(self.allowed(row)) if self.allowed and row is not None else ""

    def sight(self, row: Any) -> str:
        """Give what a page that asks shows of a row, to notice that it changed since."""
        return self.seen(row) if self.seen else ""


@dataclass(frozen=True, eq=False)
class Section:
    """A section: `name` stands in its addresses and in the audit trail.

    `rows` gives the queryset with what its columns need (select_related, annotations). `named`
    says a row in a word. `search` are database fields, or a function that gives the condition of a
    word; `sort` is the usual order, a field of the database with - for descending ("pk" for the
    order of making). `create` takes the form's values and who he is, `change` the row before them;
    each calls an act of the area, and gives the row.
    Without one there is no such button. `facts` stand above a row's page: the columns, if not
    given. `sees` and `edits` are the lowest roles. Only who has all crontabs open gets in, unless
    `for_all` is False; nobody else ever changes anything. `within` is the section whose tab it
    shares, having none of its own. `preview` names the address that its form is sent to, in a
    window of its own, to see what would come of it. `number` is the indexed field of the number by
    which the palette finds a row.
    """

    name: str
    title: Promise | str
    one: Promise | str
    rows: Callable[[], QuerySet[Any]]
    columns: Sequence[Column]
    named: Of
    search: Search = ()
    filters: Sequence[Filter] = ()
    sort: str = "-pk"
    form: type[Form] | None = None
    create: Callable[[Values, User], Any] | None = None
    change: Callable[[Any, Values, User], Any] | None = None
    acts: Sequence[Act] = ()
    facts: Sequence[Column] = ()
    panels: Sequence[Panel] = ()
    intro: Promise | str = ""
    empty: Promise | str = ""
    css: str = ""
    sees: Role = Role.VIEWER
    edits: Role = Role.ROOT
    for_all: bool = True
    within: "Section | None" = None
    a_page: int = 50
    number: str = ""
    preview: str = ""

    def name_of(self, row: Any) -> str:
        """Say a row in a word, safe to look at."""
        return visible(str(value_at(row, self.named))) or f"#{row.pk}"

    def subject(self, row: Any) -> str:
        """Name a row in the audit trail, in English whoever acts: "clients/12: Nordlicht"."""
        with translation.override("en"):
            return f"{self.name}/{row.pk}: {value_at(row, self.named)}"

    @property
    def sorts(self) -> dict[str, str]:
        """Give the columns one may order by, with their fields."""
        return {column.name: column.sort for column in self.columns if column.sort}

    @property
    def state(self) -> State | None:
        """Give the column whose mark stands beside a row's name on its page."""
        return next((one for one in self.columns if isinstance(one, State)), None)

    @property
    def searched(self) -> bool:
        """Tell whether there is anything to search in."""
        return bool(self.search)

    def act(self, name: str) -> Act | None:
        """Find an act."""
        return next((act for act in self.acts if act.name == name), None)

    def address(self, what: str = "", *args: Any) -> str:
        """Give an address: of the list, or of `what` (one, new, edit, act, like, csv)."""
        return reverse(f"{self.name}_{what}" if what else self.name, args=args)


@dataclass(frozen=True, eq=False)
class Group:
    """Sections that stand together in the frame."""

    name: str
    title: Promise | str
    sections: Sequence[Section] = ()
