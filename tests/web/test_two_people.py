"""Two people send the set-up form at once, to a real server: one of them becomes root."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import httpx

from tests.web.server import PASSWORD, serving

PEOPLE = 6


def test_of_people_who_send_the_set_up_form_at_once_one_becomes_root(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        link = server.python("from billclock.accounts.setup import setup_link; print(setup_link())")
        gate = Barrier(PEOPLE)

        def send(number: int) -> int:
            with httpx.Client() as client:
                page = client.get(link).text
                token = page.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
                gate.wait(30)
                return client.post(
                    link,
                    data={
                        "csrfmiddlewaretoken": token,
                        "email": f"person{number}@example.net",
                        "password": PASSWORD,
                    },
                    headers={"origin": server.address},
                    timeout=60,
                ).status_code

        with ThreadPoolExecutor(PEOPLE) as pool:
            answers = sorted(pool.map(send, range(PEOPLE)))
        assert answers == [302] + [410] * (PEOPLE - 1)
        count = "from billclock.accounts.models import User; print(User.objects.count())"
        assert server.python(count) == "1"
