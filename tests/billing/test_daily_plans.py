"""What a chunk reads: the services of its own accounts by an index, never all there are."""

import pytest

from billclock.billing import engine, pricing
from billclock.billing.daily import due, overage
from billclock.billing.daily.due import Scope
from tests.billing.company import TODAY, House

pytestmark = pytest.mark.usefixtures("engine")


def plan(sql: str, scope: Scope) -> str:
    """Give an engine's plan of a statement, in which it avoids reading whole tables if it can."""
    if engine.on_postgresql():
        engine.execute("SET LOCAL enable_seqscan = off")
        return "\n".join(line for (line,) in engine.rows(f"EXPLAIN {sql}", scope.values))
    return "\n".join(row[-1] for row in engine.rows(f"EXPLAIN QUERY PLAN {sql}", scope.values))


@pytest.mark.parametrize(("statuses", "index"), [
    (overage.CLASSES[0], "service_by_end"),
    (overage.CLASSES[1], "service_not_open"),
])  # fmt: skip
def test_use_is_priced_by_the_index_of_a_ranges_services(statuses: str, index: str) -> None:
    house = House()
    scope = Scope(house.provider, TODAY, 1, 1000)
    pricing.lay_out(house.provider, scope.on)
    due.make_table()
    assert index in plan(due.priced(overage._select(scope, statuses)), scope)


def test_what_is_due_is_priced_by_the_index_of_a_ranges_services() -> None:
    house = House()
    scope = Scope(house.provider, TODAY, 1, 1000)
    pricing.lay_out(house.provider, scope.on)
    due.lay_out(scope)
    assert "service_by_end" in plan(due.priced(due._select(due.OF_SERVICE, scope.due)), scope)
