"""The web application, for uvicorn or any other ASGI server."""

import os

from django.core.asgi import get_asgi_application

from billclock.web.bodies import Bounded

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "billclock.settings")
application = Bounded(get_asgi_application())
