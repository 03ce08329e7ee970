"""A local gateway, boto3 clients for it, a backend behind it and sockets in front of it."""

from __future__ import annotations

import socket
import time
from urllib.parse import urlsplit

from botocore.config import Config
from websockets.sync.client import connect

from django_aws_api_gateway_websockets.local.gateway import LocalGateway
from django_aws_api_gateway_websockets.local.limits import Limits

from .backend import PATIENCE, Backend

CONNECTION_ID = {"integration.request.header.connectionId": "context.connectionId"}


class World:
    """Made of parts that come into being when they are first used."""

    def __init__(self, session, stack):
        self._session = session
        self._stack = stack
        self._gateway = None
        self._clients = {}
        self.backend = Backend()
        stack.callback(self.backend.close)

    def start(self, limits=None, **options):
        """Start a gateway other than the default one."""
        gateway = LocalGateway(limits=limits or Limits(), **options)
        gateway.start()
        self._stack.callback(gateway.stop)
        self._gateway = gateway
        return gateway

    @property
    def gateway(self):
        return self._gateway or self.start()

    @property
    def connection_id(self):
        """That of the only connection."""
        (connection_id,) = self.gateway.connections
        return connection_id

    def client(self, service, path=""):
        """A client of boto3; one for each address, since they are slow to make."""
        where = service, self.gateway.endpoint_url + path
        if where not in self._clients:
            config = Config(retries={"max_attempts": 0}, proxies={})
            client = self._session.client(service, endpoint_url=where[1], config=config)
            self._stack.callback(client.close)
            self._clients[where] = client
        return self._clients[where]

    @property
    def control(self):
        """The control plane, by boto3."""
        return self.client("apigatewayv2")

    def connections_api(self, path="/production"):
        """@connections, by boto3."""
        return self.client("apigatewaymanagementapi", path)

    def api(self, *route_keys, **options):
        """An API with a route and an integration for each key, deployed."""
        api = Api(self, options.pop("selection", "$request.body.action"))
        for route_key in route_keys or ("$connect", "$disconnect", "$default"):
            api.add_route(route_key, **options)
        api.deploy()
        return api

    def connect(self, url, **options):
        """Open a socket; it is closed with the test."""
        options = {"proxy": None, "open_timeout": PATIENCE, "close_timeout": 0.5, **options}
        return self._stack.enter_context(connect(url, **options))

    def bare(self, url, headers=b""):
        """A TCP connection on which a handshake has been asked for, and nothing read yet."""
        address = urlsplit(url)
        sock = socket.create_connection((address.hostname, address.port), PATIENCE)
        self._stack.enter_context(sock)
        sock.sendall(
            f"GET {address.path} HTTP/1.1\r\nHost: {address.netloc}\r\n".encode()
            + b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            + b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
            + headers
            + b"\r\n"
        )
        return sock

    def until(self, condition):
        """Wait until a condition holds that nothing announces."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.005)


class Api:
    """A WebSocket API in the making."""

    def __init__(self, world, selection="$request.body.action", name="test"):
        self.world = world
        self.control = world.control
        created = self.control.create_api(
            Name=name, ProtocolType="WEBSOCKET", RouteSelectionExpression=selection
        )
        self.id, self.endpoint = created["ApiId"], created["ApiEndpoint"]
        self.url = f"{self.endpoint}/production"
        self._stages = set()

    def add_integration(self, name, **options):
        """An integration that calls the backend by that name."""
        options = {
            "IntegrationType": "HTTP_PROXY",
            "IntegrationMethod": "POST",
            "IntegrationUri": f"{self.world.backend.url}/{name}",
            "RequestParameters": CONNECTION_ID,
            **options,
        }
        return self.control.create_integration(ApiId=self.id, **options)["IntegrationId"]

    def add_route(self, route_key, name=None, replies=False, route=None, **integration):
        """A route to an integration of its own; named after its key without the "$"."""
        identifier = self.add_integration(name or route_key.lstrip("$"), **integration)
        options = {"RouteResponseSelectionExpression": "$default"} if replies else {}
        created = self.control.create_route(
            ApiId=self.id,
            RouteKey=route_key,
            Target=f"integrations/{identifier}",
            **options,
            **(route or {}),
        )
        if replies:
            self.control.create_route_response(
                ApiId=self.id, RouteId=created["RouteId"], RouteResponseKey="$default"
            )
        return created["RouteId"]

    def deploy(self, stage="production", **options):
        """A deployment to a stage, which is made if it is not there."""
        if stage not in self._stages:
            self.control.create_stage(ApiId=self.id, StageName=stage, **options)
            self._stages.add(stage)
        return self.control.create_deployment(ApiId=self.id, StageName=stage)["DeploymentId"]
