"""HTTP requests of API Gateway, header by header: for what WebSocketClient would never send."""

from __future__ import annotations

from django.test import Client

from django_aws_api_gateway_websockets.security import proof

HANDSHAKE = {
    "Origin": "https://testserver",
    "Sec-Websocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-Websocket-Version": "13",
}


def event_headers(connection, **changed):
    """The headers of every event of a connection; a changed one that is None is left out."""
    gateway = connection.gateway
    headers = {
        "Host": "testserver",
        "User-Agent": "AmazonAPIGateway_testserver",
        "X-Amzn-Apigateway-Api-Id": gateway.api_id,
        "X-Forwarded-For": "203.0.113.1",
        "X-Forwarded-Proto": "https",
        "Connectionid": connection.connection_id,
    }
    if gateway.source_proof and proof.HEADER not in changed:
        headers[proof.HEADER] = proof.value_for(gateway)
    headers.update(changed)
    return {name: value for name, value in headers.items() if value is not None}


def post(connection, route="default", body=b"", *, method="POST", http=None, **options):
    """One event of a connection; ``options`` are ``headers`` and entries of the WSGI environ."""
    headers = event_headers(connection, **options.pop("headers", {}))
    options.setdefault("content_type", "application/json")
    options.setdefault("CONTENT_LENGTH", str(len(body)))
    environ = {name: value for name, value in options.items() if value is not None}
    return (http or Client()).generic(method, f"/ws/{route}", body, headers=headers, **environ)


def answered(response):
    """What an event was answered with."""
    return response.status_code, response.content
