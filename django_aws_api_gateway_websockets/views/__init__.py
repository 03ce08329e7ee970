"""Views: what a site subclasses and mounts.

hooks      what a site may override, in the order of one event
answers    the hooks that answer a refused event
binding    hooks that may be called on the class
websocket  the view, which a site subclasses
dispatcher one event, from the POST to its answer
admission  whether the event may come in
logins     whose $connect it is: by cookie or by ticket
queries    what an event costs the database
events     an event's headers and its message, parsed
handlers   which methods a client may call, and their answers
errors     an exception that nobody expects
tickets    the view that issues tickets
"""

from __future__ import annotations

import json
from typing import Union

from django.conf import settings
from django.http import HttpResponseBadRequest, JsonResponse
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import View

from ..models import ApiGateway, WebSocketSession
from .tickets import WebSocketTokenView
from .websocket import WebSocketView

__all__ = [
    # Imported names of 1.1.1's module, which projects import or patch here.
    "ApiGateway",
    "HttpResponseBadRequest",
    "JsonResponse",
    "Union",
    "View",
    "WebSocketSession",
    "WebSocketTokenView",
    "WebSocketView",
    "csrf_exempt",
    "json",
    "method_decorator",
    "settings",
]
