"""Whether the scheduler lives, for whoever watches from outside."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from billclock import clock
from billclock.web.engine import State, engine


@login_not_required
@require_safe
def healthz(_request: HttpRequest) -> JsonResponse:
    """Answer with the daemon's state and the seconds since its last tick; 503 when it is down."""
    found = engine(clock.now())
    age = None if found.age is None else round(found.age, 1)
    status = 503 if found.state is State.DOWN else 200
    answer = JsonResponse({"status": found.state, "last_tick_age": age}, status=status)
    answer["Cache-Control"] = "no-store"
    return answer
