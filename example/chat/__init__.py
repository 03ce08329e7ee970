"""A chat on WebSockets: the demo of django-aws-api-gateway-websockets.

Read sockets.py first: the package asks nothing else of a site. Then read static/chat/chat.js, the
page's side.
"""
