"""Mocks: boto3 clients for Django's tests, made so that the tests' mocks catch what they do."""

from __future__ import annotations

import threading
from typing import Any

from botocore.client import BaseClient
from botocore.config import Config

from . import aws
from .conf import conf
from .processes import per_process


def create_client(boto3: Any, service: str, **kwargs: Any) -> Any:
    """Return a client that ``boto3.client`` makes of the arguments that release 1.1.1 gave it.

    A test may have replaced boto3, ``boto3.client`` or what that returns, and may have hooks in
    boto3's default session. A profile, which 1.1.1 did not know, needs a session of its own.
    """
    credentials = aws.credentials()
    if credentials.profile_name:
        return aws.create_client(service, **kwargs)
    if conf.endpoint_url:  # Neither did it know another endpoint than AWS.
        kwargs.setdefault("endpoint_url", conf.endpoint_url)
        kwargs["config"] = aws.client_config(service).merge(kwargs.get("config") or Config())
    kwargs["region_name"] = kwargs.get("region_name") or aws.default_region()
    keys = {name: value for name, value in credentials._asdict().items() if value}
    with _lock():  # boto3's default session must not make two clients at the same time.
        client = boto3.client(service, **{**keys, **kwargs})
    if isinstance(client, BaseClient):
        aws.wait_out_throttling_of(client, service)
    return client


@per_process
def _lock() -> Any:
    return threading.Lock()
