"""Every address of the web."""

from allauth.account.views import account_inactive, login, logout
from django.urls import path

from billclock.api import rest, views
from billclock.web import entrance, health, jobs, metrics, runs

urlpatterns = [
    path("", jobs.page, name="jobs"),
    path("runs", runs.listing, name="runs"),
    path("runs/<int:run>", runs.detail, name="run"),
    path("runs/<int:run>/output", runs.download, name="run_output"),
    path("runs/<int:run>/stop", runs.stop, name="run_stop"),
    path("entries/<int:entry>/run", jobs.run_now, name="run_now"),
    path("setup/<str:token>", entrance.first_user, name="setup"),
    path("sign-in", login, name="account_login"),
    path("sign-out", logout, name="account_logout"),
    path("inactive", account_inactive, name="account_inactive"),
    path("theme", entrance.theme, name="theme"),
    path("language", entrance.language, name="set_language"),
    path("healthz", health.healthz, name="healthz"),
    path("metrics", metrics.metrics, name="metrics"),
    path("billmgr", views.billmgr, name="billmgr"),
    path("api/v1/", ([*rest.patterns()], "api", "api")),
]
