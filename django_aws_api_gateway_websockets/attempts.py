"""One attempt at provisioning at a time, and its outcome on the gateway's row.

The claim is one conditional UPDATE, not a database lock: the AWS calls take a minute at worst, and
none of them may run inside a transaction.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Callable, Iterator

from botocore.exceptions import BotoCoreError, ClientError
from django.db import router
from django.db.models import Q, Value
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.crypto import get_random_string

from .exceptions import (
    AwsCallFailed,
    GatewayNotReady,
    ProvisioningInProgress,
    WebSocketError,
)

if TYPE_CHECKING:
    from .models import ApiGateway

logger = logging.getLogger(__name__)

#: The columns that an attempt writes, read again under the claim: somebody may have just done it.
WRITTEN_BY_ATTEMPTS = (
    "api_created",
    "api_endpoint",
    "api_gateway_domain_name",
    "api_id",
    "api_mapping_id",
    "creation_token",
    "custom_domain_created",
    "deployment_id",
    "provisioning_since",
    "source_proof",
)

#: After this time a claim is that of a process that died. A whole run takes under a minute;
#: botocore's time-outs and the waits for throttling stretch it to a few.
CLAIM_LASTS = timedelta(minutes=15)


@contextmanager
def attempt(gateway: ApiGateway) -> Iterator[None]:
    """Hold the gateway's claim for the length of the block; record a failure with its reason.

    Raises GatewayNotReady for an unsaved gateway, ProvisioningInProgress if another process has
    the claim, and AwsCallFailed in place of botocore's errors.
    """
    _claim(gateway)
    outcome = ""
    try:
        with translated_errors():
            yield
    except Exception as error:
        outcome = str(error) or repr(error)
        raise
    finally:
        keep(gateway, provisioning_since=None, last_error=outcome or None)


@contextmanager
def translated_errors() -> Iterator[None]:
    """Raise AwsCallFailed in place of botocore's errors."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise AwsCallFailed(str(error)) from error


def attempt_or_log(gateway: ApiGateway, failure: str, work: Callable[[], None]) -> None:
    """Attempt it after a commit, when it is too late to raise: ``failure`` begins the log line."""
    try:
        with attempt(gateway):
            work()
    except WebSocketError as error:
        logger.error("%s: %s", failure, error)


def keep(gateway: ApiGateway, **values: Any) -> None:
    """Write these columns, and no other, to the gateway's row and to the object."""
    for name, value in values.items():
        setattr(gateway, name, value)
    gateway.save(update_fields=[*values, "updated_on"])


def is_claimed(gateway: ApiGateway) -> bool:
    """True while an attempt is under way."""
    since = gateway.provisioning_since
    return since is not None and since > timezone.now() - CLAIM_LASTS


def _claim(gateway: ApiGateway) -> None:
    if gateway.pk is None:
        raise GatewayNotReady("Save the gateway before provisioning it.")
    now = timezone.now()
    # A replica may not know yet what another process has just written.
    database = router.db_for_write(type(gateway), instance=gateway)
    rows = type(gateway)._base_manager.using(database).filter(pk=gateway.pk)
    free = Q(provisioning_since=None) | Q(provisioning_since__lt=now - CLAIM_LASTS)
    if not rows.filter(free).update(
        provisioning_since=now,
        creation_token=Coalesce("creation_token", Value(get_random_string(32))),
    ):
        raise ProvisioningInProgress(
            f"{gateway.api_name} is being provisioned by another process. If that one has died, "
            f"try again {CLAIM_LASTS.total_seconds() / 60:.0f} minutes after it began."
        )
    gateway.refresh_from_db(using=database, fields=WRITTEN_BY_ATTEMPTS)
