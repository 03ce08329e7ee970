"""Applications of the site, Django's for WSGI and ASGI: they take out proofs and tickets first.

Sentry and other tools copy the headers of a request before Django's first middleware. They patch
Django's classes, from the settings on or later. So ``get_wsgi_application()`` makes an object of a
subclass here: what is patched in the class below, whenever that is, sees none of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core import asgi, wsgi

from .parameters import hide_ticket_in_environ, hide_ticket_in_scope
from .proof import HIDDEN_KEY, hide_in_environ, hide_in_scope

if TYPE_CHECKING:
    from django.core.handlers.asgi import ASGIHandler
    from django.core.handlers.wsgi import WSGIHandler
else:
    ASGIHandler = WSGIHandler = object


class HidesProofOfEnviron(WSGIHandler):
    """Takes the proof and the ticket out of each WSGI environment first."""

    def __call__(self, environ: Any, start_response: Any) -> Any:
        hide_in_environ(environ)
        if HIDDEN_KEY in environ:  # It is an event. Other pages may have a parameter of that name.
            hide_ticket_in_environ(environ)
        return super().__call__(environ, start_response)


class HidesProofOfScope(ASGIHandler):
    """Takes the proof and the ticket out of each ASGI scope first."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        hide_in_scope(scope)
        if HIDDEN_KEY in scope:
            hide_ticket_in_scope(scope)
        await super().__call__(scope, receive, send)


def hide_proof_in_applications() -> None:
    """Let get_wsgi_application() and get_asgi_application() make the classes above.

    Both call ``django.setup()``, and so this, before they make the application.
    """
    _put_before(wsgi, "WSGIHandler", HidesProofOfEnviron)
    _put_before(asgi, "ASGIHandler", HidesProofOfScope)


def _put_before(module: Any, name: str, mixin: type) -> None:
    handler = getattr(module, name)
    if not issubclass(handler, mixin):
        # It keeps Django's name and module, by which tools know it.
        names = {"__module__": handler.__module__, "__doc__": handler.__doc__}
        setattr(module, name, type(name, (mixin, handler), names))
