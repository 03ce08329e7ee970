"""A chat on WebSockets: the demo of django-aws-api-gateway-websockets.

Read sockets.py first: it is all that the package asks of a site. Then static/chat/socket.js, which
is the page's end of it.
"""
