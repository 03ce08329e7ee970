"""AWS: boto3 sessions and clients, endpoints, regions. Does not know the database."""

from __future__ import annotations

import os
import threading
from functools import lru_cache
from typing import Any, Callable, Iterator, Mapping, Match, NamedTuple, Optional, cast

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, CredentialRetrievalError, NoCredentialsError

from ..conf import conf
from ..exceptions import ConfigurationError, RegionMissing
from ..hosts import address_refusal
from ..processes import is_test_environment, per_process
from .endpoints import API_HOST, VARIABLES, configured_endpoint, dns_suffix, suffix_of
from .endpoints import Endpoint as Endpoint  # for those who import it from here

CONTROL_PLANE = "apigatewayv2"
CONNECTIONS = "apigatewaymanagementapi"

#: boto3 insists on a region and credentials; a local gateway ignores them. These stand for them.
LOCAL_REGION = "us-east-1"
LOCAL_CREDENTIALS = "local"

#: Seconds before the second to sixth try of a throttled call. CreateDeployment is allowed once in
#: five seconds and an account ten calls a second (API Gateway's documented quotas).
THROTTLING_DELAYS = (1, 2, 4, 8, 16)

#: Calls of boto3 at once, by default, and connections that a client keeps for them. boto3 holds
#: Python's lock most of the time, so more calls at once gain nothing.
BOTO3_IN_FLIGHT = 10

#: For a client for whose answer somebody waits.
URGENT_CONFIG = Config(connect_timeout=3, read_timeout=3, retries={"total_max_attempts": 1})


class Credentials(NamedTuple):
    """What a boto3 session is made from; all None means boto3's own chain."""

    profile_name: Optional[str] = None
    aws_access_key_id: Optional[str] = None
    aws_secret_access_key: Optional[str] = None
    aws_session_token: Optional[str] = None


def create_client(service: str = CONTROL_PLANE, **kwargs: Any) -> Any:
    """Return a new boto3 client, made as the settings say; ``kwargs`` win over them.

    Raises RegionMissing if no region is known.
    """
    kwargs.setdefault("endpoint_url", conf.endpoint_url)
    kwargs.setdefault("region_name", None)
    kwargs["region_name"] = kwargs["region_name"] or default_region()
    kwargs["config"] = client_config(service).merge(kwargs.get("config") or Config())
    session = own_session()
    with _cache().lock:  # A boto3 session must not make two clients at the same time.
        client: Any = session.client(service, **kwargs)  # type: ignore[call-overload]
    wait_out_throttling_of(client, service)
    return client


def connections_client(endpoint: Endpoint, is_urgent: bool = False) -> Any:
    """Return this process's client for an endpoint's ``@connections``.

    An urgent client tries once, for three seconds. The other ones try three times, for ten.

    The client is made once: that takes 20 ms, and open connections save the better part of a
    message's time. It is thread-safe. A forked child makes its own.
    """
    cache = _cache()
    settings = (credentials(), conf.max_in_flight)
    made_by = (boto3.Session, getattr(boto3.Session, "client", None))
    with cache.lock:  # Without it, threads that ask at the same time would each make a client.
        return cache.connections_client(endpoint, is_urgent, settings, made_by)


def connections_endpoint(api_id: str, stage: str, api_endpoint: str = "") -> Endpoint:
    """Return where the connections of a stage are posted to.

    ``api_endpoint`` (``wss://{api}.execute-api.{region}.{suffix}``) names the region and the DNS
    suffix, so that gateways in several regions work side by side. Without it the default region
    counts, with the suffix of its partition. WEBSOCKETS["endpoints"] has whole URLs.
    AWS_GATEWAY_ENDPOINT_URL replaces all of them, and botocore's own configuration
    (AWS_ENDPOINT_URL) the host. Raises ConfigurationError if it cannot be told, and for what
    would lead to another host.
    """
    refusal = address_refusal(api_id, stage, api_endpoint)
    if refusal:
        raise ConfigurationError(refusal)
    try:
        return _connections_endpoint(api_id, stage, API_HOST.search(api_endpoint))
    except BotoCoreError as error:  # for example a profile that does not exist
        raise ConfigurationError(type(error).__name__) from error


def environment_endpoint() -> Optional[str]:
    """Return the URL that botocore's configuration has in the place of AWS's, or None.

    It is AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI, AWS_ENDPOINT_URL, or ``endpoint_url`` of the
    profile. boto3 before 1.28 knows none of them, and so its control plane goes to AWS, too.
    """
    try:
        variables = map(os.environ.get, VARIABLES)
        return _cache().environment_endpoint(conf.iam_profile, *variables)
    except BotoCoreError:  # A profile that is not there is the business of who needs its keys.
        return None


def default_region() -> str:
    """Return the region of the settings, or that of boto3's own chain.

    Raises RegionMissing if neither has one.
    """
    region = conf.region_name or own_session().region_name
    if region:
        return str(region)
    if conf.endpoint_is_loopback:
        return LOCAL_REGION
    raise RegionMissing(
        "No AWS region is known. Set AWS_GATEWAY_REGION_NAME, or AWS_REGION_NAME, in the settings."
    )


def has_default_region() -> bool:
    """True if ``default_region`` finds one. A configuration that cannot be read has none."""
    try:
        return bool(default_region())
    except (RegionMissing, BotoCoreError):
        return False


def credentials() -> Credentials:
    """Return what the settings say about credentials. A profile wins over keys.

    Half of a key pair counts as none, and a system check warns of it.
    """
    profile = conf.iam_profile
    if profile:
        return Credentials(profile_name=profile)
    key_id, secret_key = conf.access_key_id, conf.secret_access_key
    if key_id and secret_key:
        return Credentials(None, key_id, secret_key, conf.session_token)
    if conf.endpoint_is_loopback:
        return Credentials(None, LOCAL_CREDENTIALS, LOCAL_CREDENTIALS)
    return Credentials()


def current_session() -> boto3.Session:
    """Return the boto3 session that ``models.get_boto3_client`` makes clients of.

    In Django's tests that is boto3's default one, unless there is a profile. Raises botocore's
    ProfileNotFound.
    """
    if is_test_environment() and not conf.iam_profile:
        if boto3.DEFAULT_SESSION is None:
            boto3.setup_default_session()
        return cast(boto3.Session, boto3.DEFAULT_SESSION)
    return own_session()


def own_session() -> boto3.Session:
    """Return this package's own boto3 session, with the settings' credentials.

    Raises botocore's ProfileNotFound.
    """
    return _cache().session(credentials(), boto3.Session)


def frozen_credentials(session: boto3.Session) -> Any:
    """Return a session's credentials as they are now: access_key, secret_key and token.

    botocore refreshes them first if they are about to expire. Raises NoCredentialsError if there
    are none, and botocore's other errors.
    """
    found = session.get_credentials()
    if found is None:
        raise NoCredentialsError
    try:
        return found.get_frozen_credentials()
    except RuntimeError as error:
        # botocore raises it when refreshed credentials have expired already.
        raise CredentialRetrievalError(provider=found.method, error_msg=str(error)) from error


def forget_session() -> None:
    """Drop all sessions and clients, because AWS says that their credentials have expired.

    The next ones look for credentials again.
    """
    _cache().session.cache_clear()
    _cache().connections_client.cache_clear()
    _cache().environment_endpoint.cache_clear()


def config_variable(session: boto3.Session, name: str) -> Any:
    """Return one of botocore's configuration variables, from the environment or the profile."""
    # boto3 has no public way to read one.
    return session._session.get_config_variable(name)


def wait_out_throttling(response: Any, attempts: int, **kwargs: Any) -> Optional[int]:
    """Tell botocore after how many seconds to repeat a throttled call.

    A 429 is the one failure after which a creating call is certain to have done nothing.
    """
    throttled = response is not None and response[0].status_code == 429
    if throttled and attempts <= len(THROTTLING_DELAYS):
        return THROTTLING_DELAYS[attempts - 1]
    return None


def wait_out_throttling_of(client: Any, service: str) -> None:
    """Let a client of the control plane wait and repeat a call that AWS throttles."""
    if service == CONTROL_PLANE:
        client.meta.events.register(f"needs-retry.{service}", wait_out_throttling)


def client_config(service: str) -> Config:
    """Return what this package's clients of a service are set to."""
    # botocore would use HTTP_PROXY for the loopback address, too.
    proxies: Optional[dict[str, str]] = {} if conf.endpoint_is_loopback else None
    if service == CONTROL_PLANE:
        # botocore would repeat a create call whose answer was lost, and so create twice.
        return Config(retries={"total_max_attempts": 1}, proxies=proxies)
    return Config(
        connect_timeout=5,
        read_timeout=10,
        retries={"mode": "standard", "total_max_attempts": 3},
        max_pool_connections=conf.max_in_flight or BOTO3_IN_FLIGHT,
        tcp_keepalive=True,
        proxies=proxies,
    )


class Cache:
    """The boto3 sessions and ``@connections`` clients of one process.

    Their keys hold what of boto3 makes them, so that none is kept of a test that has replaced it.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.session = lru_cache(maxsize=8)(_new_session)
        self.connections_client = lru_cache(maxsize=64)(_new_connections_client)
        self.environment_endpoint = lru_cache(maxsize=16)(_find_environment_endpoint)


@per_process
def _cache() -> Cache:
    return Cache()


def _new_session(chosen: Credentials, make: Callable[..., boto3.Session]) -> boto3.Session:
    return make(**chosen._asdict())


def _new_connections_client(endpoint: Endpoint, is_urgent: bool, *rest_of_key: Any) -> Any:
    # The rest only belongs to the cache's key, so that a changed setting makes another client:
    # create_client reads it itself.
    address = {"endpoint_url": endpoint.url, "region_name": endpoint.region}
    return create_client(CONNECTIONS, **address, config=URGENT_CONFIG if is_urgent else None)


def _connections_endpoint(api_id: str, stage: str, found: Optional[Match[str]]) -> Endpoint:
    region = found[1].lower() if found else default_region()
    base, own = conf.endpoint_url, conf.endpoints.get(api_id)
    if own and not base:
        return Endpoint(own, region)
    base = base or environment_endpoint()
    if not base:
        suffix = suffix_of(found) or dns_suffix(region)
        base = f"https://{api_id}.execute-api.{region}.{suffix}"
    return Endpoint(f"{base}/{stage}", region)


def _find_environment_endpoint(*key: Any) -> Optional[str]:
    # The key only tells whether another answer is to be expected.
    return configured_endpoint(own_session(), CONNECTIONS)


def paginate(client: Any, operation: str, **parameters: str) -> Iterator[Any]:
    """Yield every item of one of the control plane's listings, page after page.

    A site's tests may have replaced the client. A fake without the listing has nothing. A mock
    would have another page for ever: the token of a page must be text, and none that was sent.
    """
    sent = set()
    listing = getattr(client, operation, dict)
    while True:
        page = listing(**parameters)
        if not isinstance(page, Mapping):
            return
        yield from page.get("Items", [])
        token = page.get("NextToken")
        if not isinstance(token, str) or not token or token in sent:
            return
        sent.add(token)
        parameters["NextToken"] = token
