"""Attempts at provisioning: one at a time for each gateway, with the outcome on its row.

An attempt claims the row by one conditional UPDATE, not by a database lock: the calls to AWS take
a minute at worst, and none of them may run inside a transaction.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from datetime import timedelta
from functools import lru_cache
from typing import Any, Callable, ClassVar, Iterator, Sequence

from botocore.exceptions import BotoCoreError, ClientError
from django.db import models, router
from django.db.models import Q, Value
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.crypto import get_random_string

from ..exceptions import (
    AwsCallFailed,
    GatewayNotReady,
    ProvisioningInProgress,
    WebSocketError,
)

logger = logging.getLogger(__name__)

#: After this time the process that has a claim is taken for dead. An attempt takes under a minute,
#: or a few minutes with botocore's time-outs and with waits for throttling.
CLAIM_LIFETIME = timedelta(minutes=15)


class ProvisioningAttempts(models.Model):
    """The fields and the methods of attempts at provisioning; a gateway inherits them."""

    # Nullable, so that older rows and older releases, which lack these columns, still work.
    creation_token = models.CharField(max_length=32, null=True, editable=False)  # noqa: DJ001
    provisioning_since = models.DateTimeField(null=True, editable=False)
    last_error = models.TextField(null=True, editable=False)  # noqa: DJ001
    updated_on = models.DateTimeField(auto_now=True)

    #: The fields that an attempt reads again when it has the claim, since an earlier attempt of
    #: another process may have written them.
    refreshed_fields: ClassVar[Sequence[str]] = ("creation_token", "provisioning_since")

    #: What somebody should know of the latest attempt, although it did not fail.
    notices: Sequence[str] = ()

    class Meta:
        abstract = True

    @property
    def is_being_provisioned(self) -> bool:
        """True while an attempt is under way."""
        since = self.provisioning_since
        return since is not None and since > timezone.now() - CLAIM_LIFETIME


@contextmanager
def attempt(row: ProvisioningAttempts, *, makes_api: bool = False) -> Iterator[None]:
    """Hold the row's claim for the length of the block, and record the reason of a failure.

    With ``makes_api`` the row gets the token of the API that is about to be made. Raises
    GatewayNotReady for an unsaved row, ProvisioningInProgress if another process has the claim,
    and AwsCallFailed in place of botocore's errors.
    """
    claim(row, makes_api)
    row.notices = ()
    failure = ""
    try:
        with translated_errors():
            yield
    except Exception as error:
        failure = str(error) or repr(error)
        raise
    finally:
        write(row, provisioning_since=None, last_error=failure or None)


def attempt_or_log(row: ProvisioningAttempts, failure: str, work: Callable[[], None]) -> None:
    """Do the work as an attempt, and log a failure: after a commit it is too late to raise.

    ``failure`` is the beginning of the log line.
    """
    try:
        with attempt(row):
            work()
    except WebSocketError as error:
        logger.error("%s: %s", failure, error)


def note(row: ProvisioningAttempts, text: str) -> None:
    """Log what somebody should know, and keep it for whoever shows the outcome."""
    logger.warning("%s: %s", row, text)
    row.notices = (*row.notices, text)


def write(row: ProvisioningAttempts, **columns: Any) -> None:
    """Write these columns, and no others, to the row and to the object."""
    for name, value in columns.items():
        setattr(row, name, value)
    row.save(update_fields=[*columns, "updated_on"])


def claim(row: ProvisioningAttempts, makes_api: bool) -> None:
    """Take the row for this process; see ``attempt``."""
    if row.pk is None:
        raise GatewayNotReady("Save the gateway before provisioning it.")
    now = timezone.now()
    # The primary is read, because a replica may not have another process's claim yet.
    database = router.db_for_write(type(row), instance=row)
    rows = type(row)._base_manager.using(database).filter(pk=row.pk)
    free = Q(provisioning_since=None) | Q(provisioning_since__lt=now - CLAIM_LIFETIME)
    token = Coalesce("creation_token", Value(get_random_string(32)))
    columns: dict[str, Any] = {"creation_token": token} if makes_api else {}
    if not rows.filter(free).update(provisioning_since=now, **columns):
        raise ProvisioningInProgress(
            f"{row} is being provisioned by another process. If that one has died, "
            f"try again {CLAIM_LIFETIME.total_seconds() / 60:.0f} minutes after it began."
        )
    row.refresh_from_db(using=database, fields=row.refreshed_fields)


@contextmanager
def translated_errors() -> Iterator[None]:
    """Raise AwsCallFailed in place of botocore's errors.

    It is an instance of botocore's class as well, which callers of release 1.1.1 catch.
    """
    try:
        yield
    except AwsCallFailed:
        raise
    except (ClientError, BotoCoreError) as error:
        kind: Any = type(error)
        failure = _failure_class(kind)(*error.args)
        failure.__dict__.update(error.__dict__)  # ``response``, for one
        raise failure from error


@lru_cache(maxsize=None)
def _failure_class(kind: type[Exception]) -> type[AwsCallFailed]:
    """Return an AwsCallFailed that is one of botocore's errors, too."""
    own = {
        "__init__": AwsCallFailed.__init__,
        "__module__": AwsCallFailed.__module__,
        # A class that is made at run time cannot be pickled.
        "__reduce__": lambda failure: (AwsCallFailed, failure.args),
    }
    return type(AwsCallFailed.__name__, (AwsCallFailed, kind), own)
