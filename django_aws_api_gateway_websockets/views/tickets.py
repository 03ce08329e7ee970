"""Tickets for pages: the view that issues them."""

from __future__ import annotations

from typing import Any, Dict, Optional

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.generic import View

from ..conf import conf
from ..models import WebSocketTicket
from ..security import identity
from ..security.rates import Rate
from .logins import checked_data


@method_decorator([never_cache, csrf_protect], name="dispatch")
class WebSocketTokenView(View):
    """Gives the user who is logged in a one-time ticket, to be sent as ``?ws_token=``.

    A page asks by POST, with Django's CSRF token, and gets {"ws_token": "...", "expires_in": 60}
    (seconds); without a login the answer is a 403. WEBSOCKETS["ticket_rate"] limits how often one
    user may ask; over the limit the answer is a 429. Errors are {"error": "..."}.
    """

    http_method_names = ["post"]

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        view: Any = super().as_view(**initkwargs)
        # LoginRequiredMiddleware would answer with a login page, which a script cannot use.
        view.login_required = False
        return view

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        owner = identity.of_request(request)
        if owner.user is None:
            return JsonResponse({"error": "Log in first"}, status=403)
        wait = _seconds_to_wait(owner.user)
        if wait is not None:
            error = f"Too many tickets. Try again in {wait} seconds."
            return JsonResponse({"error": error}, status=429, headers={"Retry-After": wait})
        data = checked_data(self.session_data(request))
        ticket = WebSocketTicket.objects.issue(owner, data)
        # The releases 3.0 to 4.1.0 called it "token", and so do the scripts of their pages.
        return JsonResponse(
            {"ws_token": ticket, "token": ticket, "expires_in": conf.ticket_lifetime}
        )

    def session_data(self, request: HttpRequest) -> Optional[Dict[str, Any]]:
        """Override to keep facts of the login for the handlers, as JSON's types.

        The session that the ticket opens has them as its ``data``: what a middleware knows of the
        user, for example whether a second factor was asked for.
        """
        return None


def _seconds_to_wait(user: Any) -> Optional[int]:
    rate = conf.ticket_rate
    return Rate.parse(rate).wait_for(f"ticket:user={user.pk}") if rate else None
