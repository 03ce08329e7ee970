"""Signals that the package sends, for those who keep track of who is connected."""

from __future__ import annotations

from django.dispatch import Signal

#: A connection has opened: ``sender`` is the model, ``session`` its row, ``request`` the $connect.
#: It is sent once, when connect() has let the client in. Do not send to the connection in a
#: receiver: until $connect is answered, AWS says that the connection is gone.
session_opened = Signal()

#: A session has ended: ``sender`` is the model, ``session`` its row, ``reason`` one of REASONS.
#: It is sent once, by whichever process marks the row as closed.
session_closed = Signal()

#: The client has left (a $disconnect came); the site has closed the connection; AWS said that it
#: was gone; or it is older than a connection can be.
LEFT, CLOSED, GONE, EXPIRED = REASONS = ("left", "closed", "gone", "expired")
