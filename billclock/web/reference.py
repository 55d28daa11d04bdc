"""What programs can call: the operations of the JSON API, and every named function."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from billclock.api.parameters import Parameter
from billclock.api.registry import Function, all_functions
from billclock.api.rest import api


@dataclass(frozen=True)
class Operation:
    """One operation of the JSON API."""

    method: str
    path: str
    meaning: str
    parameters: Sequence[str]


@dataclass(frozen=True)
class Described:
    """One named function and what it takes."""

    function: Function
    parameters: Sequence[Parameter]


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Show what there is to call."""
    functions = [Described(one, [*one.parameters.values()]) for one in all_functions()]
    context = {"operations": [*_operations()], "functions": functions}
    return render(request, "reference/page.html", context)


def _operations() -> Iterator[Operation]:
    document: Mapping[str, Any] = api.get_openapi_schema()
    schemas = document["components"]["schemas"]
    for path, methods in document["paths"].items():
        for method, facts in methods.items():
            names = [one["name"] for one in facts["parameters"] if one["in"] == "query"]
            names += _fields(facts.get("requestBody"), schemas)
            yield Operation(method.upper(), path, facts["description"], names)


def _fields(body: Mapping[str, Any] | None, schemas: Mapping[str, Any]) -> Sequence[str]:
    """Name the fields of the object that an operation takes as its body."""
    if body is None:
        return ()
    name = body["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    return [*schemas[name]["properties"]]
