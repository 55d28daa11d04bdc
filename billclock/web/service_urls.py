"""The addresses of questions about services, beside those of their section."""

from django.urls import path

from billclock.web.service_asking import ask
from billclock.web.service_end import CLOSE, RENEW
from billclock.web.service_order import CHANGE, ORDER
from billclock.web.services import SERVICES

ORDERING = path(
    "services/order", ask, {"section": SERVICES, "question": ORDER}, name="services_order"
)
urlpatterns = [
    ORDERING,
    *(
        path(f"services/<str:key>/{question.name}", ask,
             {"section": SERVICES, "question": question}, name=f"services_{question.name}")
        for question in (CHANGE, RENEW, CLOSE)
    ),
]  # fmt: skip
