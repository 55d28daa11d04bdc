"""A function's parameters: text from outside, turned into what the function's signature says."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any, get_args, get_origin

from billclock import clock
from billclock.api.documents import Fault

ON = frozenset({"on", "ok", "yes", "1", "true"})
OFF = frozenset({"off", "no", "0", "false", ""})
PANEL = frozenset({"func", "out", "lang", "auth", "authinfo", "su", "sfrom", "progressid"})
"""Parameters of every call, which are not the function's."""

HOLDS: Mapping[Any, str] = {
    bool: "on or off",
    int: "a whole number, 0 or more",
    date: "a date, 2026-11-20",
    datetime: "a moment, 2026-11-20T18:30",
    tuple[int, ...]: "keys with commas",
}
TAKES_EMPTY = (str, bool)  # an empty field of a form is a text, or off; any other is left out
MOST = 2**63 - 1  # the greatest number that a database column and an offset in a file can hold


class FunctionError(Exception):
    """A call that is answered with an error document; `fault` is its content."""

    def __init__(self, type_: str, about: str, value: str, message: str) -> None:
        super().__init__(message)
        self.fault = Fault(type_, about, value, message)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter: its name, what it may hold, what it means."""

    name: str
    type: Any
    meaning: str
    required: bool

    @property
    def holds(self) -> str:
        """Say in a word or two what it may hold."""
        return HOLDS.get(self.type, "text")

    def read(self, text: str) -> Any:
        """Give the value, or raise FunctionError saying what it may hold."""
        try:
            return self._converted(text)
        except ValueError:
            message = f"{self.name}: {text!r} is not {self.holds}"
            raise FunctionError("value", self.name, text, message) from None

    def _converted(self, text: str) -> Any:
        if self.type is bool:
            if text.lower() not in ON | OFF:
                raise ValueError(text)
            return text.lower() in ON
        if self.type is int:
            return _number(text)
        if self.type is date:
            return date.fromisoformat(text)
        if self.type is datetime:
            return _moment(text)
        if self.type == tuple[int, ...]:
            return tuple(_number(key) for key in text.split(",") if key.strip())
        return text


def parameters(function: Callable[..., Any]) -> Mapping[str, Parameter]:
    """Give the named parameters of a function; the first, the actor, is not one of them."""
    signature = inspect.signature(function, eval_str=True)
    found = (p for p in signature.parameters.values() if p.kind is p.KEYWORD_ONLY)
    return {p.name: _parameter(p) for p in found}


def texts(meanings: Mapping[str, str]) -> Mapping[str, Parameter]:
    """Give optional parameters of plain text from their names and meanings."""
    return {
        name: Parameter(name, str, meaning, required=False) for name, meaning in meanings.items()
    }


def bind(known: Mapping[str, Parameter], params: Mapping[str, str]) -> dict[str, Any]:
    """Give the keyword arguments that a call's parameters make; raise FunctionError.

    A parameter that is not known is refused: a misspelt one must not be passed over in silence.
    """
    arguments: dict[str, Any] = {}
    for name, text in params.items():
        if name in known:
            if text or known[name].type in TAKES_EMPTY:
                arguments[name] = known[name].read(text)
        elif name not in PANEL:
            message = f"there is no parameter {name!r}; there are {', '.join(known) or 'none'}"
            raise FunctionError("value", name, text, message)
    for parameter in known.values():
        if parameter.required and not params.get(parameter.name, "").strip():
            message = f"{parameter.name} is missing: give {parameter.meaning or parameter.holds}"
            raise FunctionError("value", parameter.name, "", message)
    return arguments


def _number(text: str) -> int:
    number = int(text)
    if not 0 <= number <= MOST:
        raise ValueError(text)
    return number


def _moment(text: str) -> datetime:
    """Read a moment in ISO form; one without an offset is by the server's clock."""
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=clock.server_zone())).astimezone(
            UTC
        )
    except OverflowError:
        raise ValueError(text) from None


def _parameter(found: inspect.Parameter) -> Parameter:
    type_, meaning = found.annotation, ""
    if get_origin(type_) is Annotated:
        type_, meaning = get_args(type_)
    plain = [part for part in get_args(type_) if part is not type(None)]
    if type(None) in get_args(type_):
        type_ = plain[0]
    return Parameter(found.name, type_, meaning, required=found.default is found.empty)
