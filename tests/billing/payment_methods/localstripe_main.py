"""localstripe as a process of its own, with what our calls use and it lacks.

`python -m tests.billing.payment_methods.localstripe_main PORT`. Added are: `off_session` at the
confirmation (it knows it at the making alone), parameters and fields newer than it, lists by
customer, and that there are no pages (Checkout). Its cards, charges, refunds and webhooks are its
own.
"""

import sys
from typing import Any

from aiohttp import web
from localstripe import resources
from localstripe.resources import PaymentIntent, StripeObject

make = PaymentIntent._api_create
confirm = PaymentIntent._api_confirm


def made(allowed_payment_method_types: object = None, description: str = "", **data: Any) -> Any:
    return make(**data)


def confirmed(off_session: object = None, **data: Any) -> Any:
    return confirm(**data)


def listed(url: str, customer: str = "", created: object = None, **more: Any) -> Any:
    found = StripeObject._api_list_all.__func__(PaymentIntent, url, **more)
    found._list = [one for one in found._list if customer in {"", one.customer}]
    return found


async def no_pages(request: web.Request) -> web.Response:
    return web.json_response({"object": "list", "url": request.path, "has_more": False, "data": []})


def received(intent: PaymentIntent) -> int:
    return intent.amount if intent.status == "succeeded" else 0


if __name__ == "__main__":
    PaymentIntent._api_create = staticmethod(made)
    PaymentIntent._api_list_all = staticmethod(listed)
    PaymentIntent.amount_received = property(received)
    resources.extra_apis[:] = [
        (method, url, confirmed if function == confirm else function)
        for method, url, function in resources.extra_apis
    ]
    type(resources.store).dump_to_disk = lambda store: None
    from localstripe import server  # it reads what was changed above

    server.app.router.add_get("/v1/checkout/sessions", no_pages)
    web.run_app(server.app, host="127.0.0.1", port=int(sys.argv[1]), access_log=None)
