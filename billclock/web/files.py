"""Static files from where they lie, in a form that an ASGI server sends without a detour."""

from django.http import HttpRequest, HttpResponse
from whitenoise.middleware import WhiteNoiseMiddleware  # type: ignore[import-untyped]
from whitenoise.responders import StaticFile  # type: ignore[import-untyped]


class Files(WhiteNoiseMiddleware):  # type: ignore[misc]
    """WhiteNoise, whose answers are sent in one piece: ours are small.

    Under ASGI Django reads a streamed file into memory first, and warns of it each time.
    """

    @staticmethod
    def serve(static_file: StaticFile, request: HttpRequest) -> HttpResponse:
        """Answer with a file, or that the browser's copy is still right."""
        found = static_file.get_response(request.method, request.META)
        content = b""
        if found.file is not None:
            with found.file:
                content = found.file.read()
        return HttpResponse(content, status=int(found.status), headers=dict(found.headers))
