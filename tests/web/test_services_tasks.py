"""Staff tasks on screen: what is open, for whom, and how each is done."""

from collections.abc import Callable

import pytest
from django.test import Client

from billclock import clock
from billclock.accounts.models import AuditRow, Role
from billclock.billing import operations, orders, tasks
from billclock.billing.errors import BillingError
from billclock.billing.orders import Wish
from billclock.billing.services import Operation, Service, Status, Task
from tests.billing.company import House

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])
SignedIn = Callable[..., Client]


@pytest.fixture
def given_up() -> Operation:
    """An order that its module leaves to people."""
    house = House()
    wish = Wish(house.products["monthly"], name="shop.example")
    service = orders.order(house.account(100_00), wish, on=house.provider.today())
    operation = service.operations.get()
    assert operations.carry_out(operation) == Operation.State.GIVEN_UP
    return operation


def plain(subject: str = "Tell account a1: suspended", **given: object) -> Task:
    facts = {"kind": "letter", "subject": subject, "key": subject, "created_at": clock.now()}
    return Task.objects.create(**{**facts, **given})


def page(browser: Client, address: str, **query: str) -> str:
    answer = browser.get(address, query)
    assert answer.status_code == 200
    return answer.content.decode()


def act(browser: Client, name: str, row: Task, **given: str) -> str:
    sent = {"act": name, "entry": str(row.pk), "back": str(row.pk), "confirmed": "yes", **given}
    answer = browser.post("/tasks/act", sent, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def test_open_ones_are_shown_unless_others_are_asked_for(signed_in: SignedIn) -> None:
    plain("still open")
    plain("long done", done_at=clock.now(), done_by="ada")
    browser = signed_in(Role.VIEWER)
    for query, shown in (
        ({}, {"still open"}),
        ({"state": "open"}, {"still open"}),
        ({"state": "done"}, {"long done"}),
        ({"state": "all"}, {"still open", "long done"}),
        ({"state": ""}, {"still open", "long done"}),
        ({"state": "nonsense"}, {"still open"}),
    ):
        found = page(browser, "/tasks", **query)
        assert {subject for subject in ("still open", "long done") if subject in found} == shown


def test_tasks_are_found_by_department(given_up: Operation, signed_in: SignedIn) -> None:
    plain("of nobody")
    task = Task.objects.get(kind=operations.TASK)
    shown = page(signed_in(Role.VIEWER), "/tasks", department=str(task.department_id))
    assert task.subject in shown
    assert "of nobody" not in shown


def test_what_was_done_by_hand_is_kept_with_the_service(
    given_up: Operation, signed_in: SignedIn
) -> None:
    task, browser = Task.objects.get(), signed_in()
    shown = page(browser, f"/tasks/{task.pk}")
    for said in ("given up", "acme-panel", "Monthly", "leaves it to people"):
        assert said in shown
    wrong = act(browser, "by-hand", task, parameters="no sign of equality")
    assert "Write each line as name = value" in wrong
    act(browser, "by-hand", task, parameters="ip = 192.0.2.10\n\nnode=a=b")
    service = Service.objects.get()
    assert service.parameters == {"ip": "192.0.2.10", "node": "a=b"}
    assert service.status == Status.ACTIVE
    task.refresh_from_db()
    assert task.done_by == "root@example.net"
    assert AuditRow.objects.get(act="tasks.by-hand").subject.endswith(task.subject)
    assert "192.0.2.10" in page(browser, f"/tasks/{task.pk}")


def test_an_operation_is_tried_again(given_up: Operation, signed_in: SignedIn) -> None:
    task, browser = Task.objects.get(), signed_in()
    act(browser, "again", task)
    given_up.refresh_from_db()
    assert given_up.state == Operation.State.QUEUED
    assert "is queued" in act(browser, "again", task)


def test_a_task_without_an_operation_is_done(given_up: Operation, signed_in: SignedIn) -> None:
    browser, first, second = signed_in(), plain("one"), plain("two")
    both = {"entry": [str(first.pk), str(second.pk), str(Task.objects.earliest("pk").pk)]}
    told = browser.post("/tasks/act", {"act": "done", **both}, follow=True).content.decode()
    assert Task.objects.filter(done_by="root@example.net").count() == 2
    assert "Its service waits: say that it was done by hand." in told
    with pytest.raises(BillingError, match="was done by"):
        tasks.finish(first, by="ada")
    with pytest.raises(BillingError, match="its service waits"):
        tasks.finish(Task.objects.get(kind=operations.TASK), by="ada")


def test_the_page_of_a_service_names_its_tasks(given_up: Operation, signed_in: SignedIn) -> None:
    task = Task.objects.get()
    shown = page(signed_in(Role.VIEWER), f"/services/{given_up.service_id}")
    assert f'href="/tasks/{task.pk}"' in shown
    assert "given up" in shown


def test_a_task_about_nothing_known_shows_and_refuses(signed_in: SignedIn) -> None:
    broken = plain("x", kind=operations.TASK, key="operation 999999", text="<b>bold</b>\u202e")
    browser = signed_in()
    shown = page(browser, f"/tasks/{broken.pk}")
    assert "<b>bold" not in shown
    assert "\u202e" not in shown
    assert "about no operation" in act(browser, "again", broken)
