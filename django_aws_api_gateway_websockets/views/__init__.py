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

from .tickets import WebSocketTokenView
from .websocket import WebSocketView

__all__ = ["WebSocketTokenView", "WebSocketView"]
