"""Requests made from the API's own document: whatever comes, an answer that the document knows."""

from collections.abc import Callable

import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.generation import GenerationMode

from billclock.accounts.models import Role, User
from billclock.api import keys
from tests.api.conftest import World
from tests.api.test_permissions import OPERATIONS

pytestmark = [
    pytest.mark.django_db(databases=["default", "scheduler"]),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

CHECKS = [status_code_conformance, content_type_conformance, response_schema_conformance]
BRIEF = settings(
    max_examples=12,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_answer_is_one_that_the_document_knows(
    operation: str, world: World, user: Callable[..., User]
) -> None:
    _, token = keys.make(user(Role.ROOT), "a test", Role.ROOT, None)
    known = {"Authorization": f"Bearer {token}"}
    app = get_wsgi_application()
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app, headers=known)
    method, _, path = operation.partition(" ")
    found = schema[f"/api/v1{path}"][method]
    key = world.run.pk if path.startswith("/runs") else world.entry.pk
    places = {name: n for name, n in {"key": key, "number": 2}.items() if f"{{{name}}}" in path}
    cases = st.one_of(
        found.as_strategy(),
        found.as_strategy(path_parameters=places or None),
        found.as_strategy(GenerationMode.NEGATIVE),
    )

    @seed(1)
    @BRIEF
    @given(case=cases)
    def attack(case: schemathesis.Case) -> None:
        answer = case.call(headers=known)
        assert answer.status_code != 500, answer.text  # 503 is right: there is no daemon to ask
        case.validate_response(answer, checks=CHECKS)

    attack()
