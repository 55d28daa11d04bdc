"""Static files from where they lie, in a form that an ASGI server sends without a detour."""

import os
from email.utils import formatdate
from io import BufferedReader

from django.http import HttpRequest, HttpResponse
from whitenoise.middleware import WhiteNoiseMiddleware  # type: ignore[import-untyped]
from whitenoise.responders import SlicedFile, StaticFile  # type: ignore[import-untyped]


class Files(WhiteNoiseMiddleware):  # type: ignore[misc]
    """WhiteNoise, whose answers are sent in one piece: ours are small.

    Under ASGI Django reads a streamed file into memory first, and warns of it each time.
    """

    @staticmethod
    def serve(static_file: StaticFile, request: HttpRequest) -> HttpResponse:
        """Answer with a file, or that the browser's copy is still right.

        WhiteNoise looks at a file when the server starts. One that was changed since, as by an
        update under a running server, is sent as it is now and is not kept: its address promises
        what it was.
        """
        found = static_file.get_response(request.method, request.META)
        headers = dict(found.headers)
        if found.file is None:
            return HttpResponse(b"", status=int(found.status), headers=headers)
        with found.file:
            file = found.file.fileobj if isinstance(found.file, SlicedFile) else found.file
            if _is_as_promised(file, static_file):
                return HttpResponse(found.file.read(), status=int(found.status), headers=headers)
            file.seek(0)
            content = file.read()
        kept = {"Content-Type": headers["Content-Type"], "Cache-Control": "no-store"}
        return HttpResponse(content, headers=kept)


def _is_as_promised(file: BufferedReader, static_file: StaticFile) -> bool:
    """Tell whether a file has the size and the time that WhiteNoise noted of it."""
    known = dict(static_file.get_response("HEAD", {}).headers)
    now = os.fstat(file.fileno())
    written = formatdate(now.st_mtime, usegmt=True)
    return known["Content-Length"] == str(now.st_size) and known.get("Last-Modified") == written
