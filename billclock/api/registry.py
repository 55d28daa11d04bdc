"""The named functions: registered by decorator, described, and called with text parameters."""

import difflib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from billclock import plugins
from billclock.accounts.models import Role
from billclock.api import functions
from billclock.api.documents import Document, Fault, Kind
from billclock.api.parameters import ON, FunctionError, Parameter, bind, parameters, texts
from billclock.billing.errors import BillingError
from billclock.cron import CronError
from billclock.cron.interval import IntervalError
from billclock.jobs.job import OptionError
from billclock.scheduler.control import NotRunningError, RefusedError
from billclock.scheduler.errors import (
    Busy,
    Conflict,
    NoEntry,
    NoTable,
    NoVersion,
    ReadOnly,
    Refused,
    TableError,
)

log = logging.getLogger(__name__)

RIGHTS = {Role.VIEWER: 1, Role.OPERATOR: 2, Role.ROOT: 3}


@dataclass(frozen=True, slots=True)
class Actor:
    """Who calls: a name for the records, a role, the tables open to him (None: all)."""

    name: str
    role: Role
    tables: frozenset[str] | None = None

    def may(self, role: Role) -> bool:
        """Tell whether the actor's role is at least this one."""
        return RIGHTS[self.role] >= RIGHTS[role]

    def sees(self, table: str) -> bool:
        """Tell whether a table is open to the actor."""
        return self.tables is None or table in self.tables


ROOT = Actor("root", Role.ROOT)
"""Who calls from a command line on this machine."""

NO_MORE: Mapping[str, str] = MappingProxyType({})
Answering = Callable[..., Document]


@dataclass(frozen=True, slots=True)
class Function:
    """One named function; `role` is needed to do it, for a form only to save it.

    `whole` says that what it does reaches beyond single tables, so that all must be open to who
    does it. `more` are parameters of plain text that its signature takes as `**options`.
    """

    name: str
    title: str
    kind: Kind
    role: Role
    answer: Answering
    whole: bool
    more: Mapping[str, Parameter]

    @property
    def parameters(self) -> Mapping[str, Parameter]:
        """Give its parameters by name."""
        return {**parameters(self.answer), **self.more}

    def needs(self, params: Mapping[str, str]) -> Role:
        """Give the role that a call with these parameters needs."""
        shown_only = self.kind is Kind.FORM and params.get("sok", "").lower() not in ON
        return Role.VIEWER if shown_only else self.role


_known: dict[str, Function] = {}


def function(
    name: str,
    *,
    title: str,
    kind: Kind,
    role: Role = Role.ROOT,
    whole: bool = False,
    more: Mapping[str, str] = NO_MORE,
) -> Callable[[Answering], Answering]:
    """Register a function of the API; it takes the actor and keywords, and gives a Document.

    `whole` refuses it to who has only some tables open to him; `more` are the names and meanings
    of what it takes as `**options`.
    """

    def register(answer: Answering) -> Answering:
        _known[name] = Function(name, title, kind, role, answer, whole, texts(more))
        return answer

    return register


def all_functions() -> Sequence[Function]:
    """Give every function, by name."""
    for _ in plugins.modules(functions):
        pass  # importing a module registers its functions
    return sorted(_known.values(), key=lambda known: known.name)


def find(name: str) -> Function | None:
    """Give a function by its name, or None."""
    return next((known for known in all_functions() if known.name == name), None)


def call(name: str, params: Mapping[str, str], *, actor: Actor) -> Document:
    """Call a function; whatever goes wrong is in the document, whose exit code is then 1."""
    known = find(name)
    if known is None:
        return failed(name, _unknown(name))
    refused = _refusal(known, params, actor)
    if refused:
        return failed(name, refused, known.kind)
    try:
        return known.answer(actor, **bind(known.parameters, params))
    except Exception as error:  # noqa: BLE001 - the caller is owed an answer, whatever happened
        return failed(name, _fault(name, error), known.kind)


def failed(name: str, fault: Fault, kind: Kind = Kind.ACTION) -> Document:
    """Give the document of a call that failed."""
    return Document(name, kind, fault=fault, exit_code=1)


def _refusal(known: Function, params: Mapping[str, str], actor: Actor) -> Fault | None:
    """Say why an actor may not call a function with these parameters; None where he may."""
    needed, name = known.needs(params), known.name
    if not actor.may(needed):
        words = f"{actor.name} may not call {name}: it needs the role {needed.value}"
        return Fault("access", name, actor.role.value, words)
    if known.whole and needed is not Role.VIEWER and actor.tables is not None:
        words = f"{actor.name} may not call {name}: it concerns every table, not his alone"
        return Fault("access", name, "", words)
    return None


def _fault(name: str, error: Exception) -> Fault:
    """Give an exception as the panel's document says it; an unexpected one is logged."""
    match error:
        case FunctionError():
            return error.fault
        case IntervalError():
            return Fault("value", error.field, str(error.value), str(error))
        case CronError():
            return Fault("value", error.field or "command", "", str(error))
        case UnicodeEncodeError():  # bytes of a command line, where only text will do
            return Fault("value", name, "", f"{error.object!r} holds bytes that are no UTF-8")
        case OptionError() | BillingError():
            return Fault("value", name, "", str(error))
        case TableError():
            return Fault(_kind(error), name, "", str(error))
        case NotRunningError():
            return Fault("engine", name, "", str(error))
        case RefusedError():
            return Fault("conflict", name, "", str(error))
    log.error("%s failed", name, exc_info=error)
    return Fault("internal", name, "", f"{type(error).__name__}: {error}; the log says more")


def _unknown(name: str) -> Fault:
    near = difflib.get_close_matches(name, [known.name for known in all_functions()], n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    return Fault("query", name, "", f"there is no function {name!r}{hint}")


def _kind(error: TableError) -> str:
    """Name an error of a crontab as documents do."""
    match error:
        case NoTable() | NoEntry() | NoVersion():
            return "missing"
        case Conflict() | Busy():
            return "conflict"
        case Refused():
            return "value"
        case ReadOnly():
            return "access"
    return "table"
