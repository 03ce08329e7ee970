import gc
import os
import signal
import sys
import time

import pytest
from django.test.utils import setup_test_environment, teardown_test_environment
from django.urls import path

from tests.edge import Edge
from tests.wire import Authority, Server

pytest_plugins = ["django_aws_api_gateway_websockets.pytest_plugin"]


def pytest_collection_finish():
    """Keep the garbage collector from going through what stays: modules, thousands of tests."""
    # The old Hypothesis of Python 3.8 asks who refers to a thing, and what is frozen is not named.
    if sys.version_info >= (3, 9):
        gc.collect()
        gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers():
    """Two processes for each processor, as many tests wait for something."""
    return 2 * (os.cpu_count() or 1)


@pytest.fixture(autouse=True, scope="session")
def _sigint_as_in_the_foreground():
    """Let the programs that tests start be interrupted.

    A shell starts what is to run in the background with SIGINT ignored, and programs inherit that.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True, scope="session")
def _no_aws_of_the_developer():
    """Keep boto3 from the configuration, credentials and proxies of this machine."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.upper().startswith("AWS_") or name.upper().endswith("_PROXY"):
                patch.delenv(name)
        patch.setenv("AWS_CONFIG_FILE", os.devnull)
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        yield


@pytest.fixture(autouse=True)
def _fresh_pace():
    """Keep from each test what others taught this process about AWS's throttling."""
    from django_aws_api_gateway_websockets.sending import pace, signing

    pace.process_pace.forget()
    signing.credential_refresh.forget()


@pytest.fixture
def new_session():
    """boto3 sessions that no other test has: a session keeps the environment's keys."""
    import boto3

    from django_aws_api_gateway_websockets import aws

    def forget():
        aws.forget_session()
        boto3.DEFAULT_SESSION = None

    forget()
    yield
    forget()


@pytest.fixture
def outside_of_tests(settings):
    """As in a site's own process, and not in Django's test environment."""
    # Both functions set settings. What the test itself overrides lies between them, so without
    # an override around both, what the first one sets would stay.
    settings.ALLOWED_HOSTS = settings.ALLOWED_HOSTS
    teardown_test_environment()
    yield
    setup_test_environment(settings.DEBUG)


@pytest.fixture
def edge(settings):
    """A loopback server in the place of AWS, to which both of boto3's clients go.

    The transport is that of production, unless the test or its settings name one.
    """
    from django_aws_api_gateway_websockets.testing import as_in_production

    with Edge() as server:
        settings.AWS_GATEWAY_ENDPOINT_URL = server.url
        settings.WEBSOCKETS = as_in_production()
        yield server


@pytest.fixture
def transport(settings):
    """The name of the transport of production, which the settings name, too."""
    settings.WEBSOCKETS = {"transport": "sockets"}
    return "sockets"


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    """A certificate authority that nobody trusts unless a test says so."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def server(authority, monkeypatch):
    """A TLS server whose certificate is for localhost, and whose authority is trusted."""
    monkeypatch.setenv("AWS_CA_BUNDLE", str(authority.file))
    with Server(authority.server_side("localhost", "127.0.0.1", "::1")) as server:
        server.url = f"https://localhost:{server.port}/prod"
        yield server


@pytest.fixture
def mount(settings):
    """``mount(View)`` puts a view at /ws/ in place of the suite's own, and returns that URL."""

    def at_ws(view, **initkwargs):
        settings.ROOT_URLCONF = (path("ws/<slug:route>", view.as_view(**initkwargs)),)
        return "/ws/"

    return at_ws


class Clock:
    """The time of ``time.time()``, which stands still until a test moves it."""

    now = 1_700_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(time, "time", clock)
    return clock


@pytest.fixture
def alice(db, django_user_model):
    return django_user_model.objects.create_user("alice")


@pytest.fixture
def bob(db, django_user_model):
    return django_user_model.objects.create_user("bob")


@pytest.fixture
def local_gateway(settings):
    """A running local gateway, to which both of boto3's clients go. Not on Python 3.8 and 3.9."""
    pytest.importorskip("websockets")
    from django_aws_api_gateway_websockets.local.gateway import LocalGateway
    from django_aws_api_gateway_websockets.testing import as_in_production

    with LocalGateway() as gateway:
        settings.AWS_GATEWAY_ENDPOINT_URL = gateway.endpoint_url
        settings.WEBSOCKETS = as_in_production()
        yield gateway


@pytest.fixture
def control_plane(local_gateway):
    """What the local gateway's control plane holds."""
    from tests.control_plane import ControlPlane

    return ControlPlane()


@pytest.fixture
def commit(django_capture_on_commit_callbacks):
    """``with commit():`` a transaction that is committed at the end of the block."""
    return lambda: django_capture_on_commit_callbacks(execute=True)


@pytest.fixture
def outbox(websocket_outbox):
    return websocket_outbox


@pytest.fixture
def gateway(db):
    from tests.factories import make_created_gateway

    return make_created_gateway()


@pytest.fixture
def room(gateway):
    """Three connected sessions "a", "b" and "c", and a closed one, in one channel."""
    from tests.factories import make_session

    for connection_id in "abc":
        make_session(gateway, connection_id=connection_id, channel_name="room")
    make_session(gateway, connection_id="closed", channel_name="room", connected=False)
    return gateway.sessions.filter(channel_name="room")


@pytest.fixture
def on_second_database(settings):
    """``on_second_database()`` sends the app's models to a second database from then on."""
    from tests.second_database import Router, second_database

    with second_database():
        yield lambda: setattr(settings, "DATABASE_ROUTERS", [Router()])


@pytest.fixture
def atomic_requests(transactional_db, monkeypatch):
    """Each request in a transaction of its own, and no other around it."""
    from django.db import connection

    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
