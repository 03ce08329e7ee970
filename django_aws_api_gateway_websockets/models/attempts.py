"""Attempts at provisioning: one at a time for each gateway, with the outcome on its row.

An attempt claims the row by one conditional UPDATE, not by a database lock: the calls to AWS take
a minute at worst, and none of them may run inside a transaction. The moment of the claim says
whose it is: an attempt that another one has overtaken stops writing, to the row and to AWS.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Callable, ClassVar, Iterator, Optional, Sequence

from botocore.exceptions import BotoCoreError, ClientError
from django.db import models, router, transaction
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
from ..provisioning.clients import WritingClient

logger = logging.getLogger(__name__)

#: After this time the process that has a claim is taken for dead. An attempt takes under a minute,
#: or a few minutes with botocore's time-outs and with waits for throttling.
CLAIM_LIFETIME = timedelta(minutes=15)


#: How a text of ``leave_error`` ends: what it tells of is still to be done.
AFTERWARDS = "Run upgradeApiGateway afterwards."


class ProvisioningAttempts(models.Model):
    """The fields and the methods of attempts at provisioning; a gateway inherits them."""

    # Nullable, so that older rows and older releases, which lack these columns, still work.
    creation_token = models.CharField(max_length=32, null=True, editable=False)  # noqa: DJ001
    provisioning_since = models.DateTimeField(null=True, editable=False)
    last_error = models.TextField(null=True, editable=False)  # noqa: DJ001
    updated_on = models.DateTimeField(auto_now=True)

    #: The fields that an attempt reads again when it has the claim, since an earlier attempt of
    #: another process may have written them.
    refreshed_fields: ClassVar[Sequence[str]] = (
        "creation_token",
        "provisioning_since",
        "last_error",
    )

    #: What somebody should know of the latest attempt, although it did not fail.
    notices: Sequence[str] = ()
    #: True if the latest attempt has called AWS to change something.
    has_written: bool = False
    #: When the attempt that is under way claimed the row; None between attempts.
    claimed_at: Optional[datetime] = None

    class Meta:
        abstract = True

    @property
    def is_being_provisioned(self) -> bool:
        """True while an attempt is under way."""
        since = self.provisioning_since
        return since is not None and since > timezone.now() - CLAIM_LIFETIME


@contextmanager
def attempt(
    row: ProvisioningAttempts, *, makes_api: bool = False, makes_up_for: Optional[str] = ""
) -> Iterator[None]:
    """Hold the row's claim for the length of the block, and record the reason of a failure.

    With ``makes_api`` the row gets the token of the API that is about to be made.
    ``makes_up_for`` is how the texts of ``leave_error`` begin that it takes away; None keeps all.
    Raises GatewayNotReady for an unsaved row, ProvisioningInProgress if another process has the
    claim, at the beginning or later on, and AwsCallFailed in place of botocore's errors.
    """
    claim(row, makes_api, makes_up_for)
    row.notices, row.has_written = (), False
    failure = ""
    try:
        with translated_errors():
            yield
    except Exception as error:
        failure = str(error) or repr(error)
        raise
    finally:
        release(row, failure)


def attempt_or_log(row: ProvisioningAttempts, failure: str, work: Callable[[], None]) -> None:
    """Do the work as an attempt, and log a failure: after a commit it is too late to raise.

    ``failure`` is the beginning of the log line. The row tells it, too, where another process has
    the claim: the next upgrade does what could not be done.
    """
    try:
        with attempt(row, makes_up_for=f"{failure}: "):
            work()
    except ProvisioningInProgress as error:
        logger.error("%s: %s", failure, error)
        leave_error(row, f"{failure}: {error} {AFTERWARDS}")
    except WebSocketError as error:
        logger.error("%s: %s", failure, error)


def note(row: ProvisioningAttempts, text: str) -> None:
    """Log what somebody should know, and keep it for whoever shows the outcome."""
    logger.warning("%s: %s", row, text)
    row.notices = (*row.notices, text)


def write(row: ProvisioningAttempts, **columns: Any) -> None:
    """Write these columns, and no others, to the row and to the object.

    Raises ProvisioningInProgress if another process has overtaken this attempt.
    """
    with transaction.atomic(database_of(row)):
        require_claim(row, for_update=True)
        for name, value in columns.items():
            setattr(row, name, value)
        row.save(update_fields=[*columns, "updated_on"])


def claim(row: ProvisioningAttempts, makes_api: bool, makes_up_for: Optional[str]) -> None:
    """Take the row for this process; see ``attempt``."""
    if row.pk is None:
        raise GatewayNotReady("Save the gateway before provisioning it.")
    now = timezone.now()
    free = Q(provisioning_since=None) | Q(provisioning_since__lt=now - CLAIM_LIFETIME)
    token = Coalesce("creation_token", Value(get_random_string(32)))
    columns: dict[str, Any] = {"creation_token": token} if makes_api else {}
    # What stands in last_error at the end is what nobody has made up for.
    columns.update(provisioning_since=now, last_error=_held_up(row, makes_up_for) or None)
    if not stored(row).filter(free).update(**columns):
        raise ProvisioningInProgress(
            f"{row} is being provisioned by another process. If that one has died, "
            f"try again {CLAIM_LIFETIME.total_seconds() / 60:.0f} minutes after it began."
        )
    row.claimed_at = now
    row.refresh_from_db(using=database_of(row), fields=row.refreshed_fields)


def require_claim(row: ProvisioningAttempts, *, for_update: bool = False) -> None:
    """Raise ProvisioningInProgress if another process has overtaken the attempt under way.

    With ``for_update`` the row stays locked until the end of the transaction.
    """
    if row.claimed_at is None:
        return
    own = stored(row).filter(provisioning_since=row.claimed_at)
    # An UPDATE locks the row in each database, which SELECT FOR UPDATE does not in SQLite.
    held = own.update(provisioning_since=row.claimed_at) if for_update else own.exists()
    if not held:
        raise ProvisioningInProgress(
            f"{row} has been taken over by another process, or deleted, while this one worked for "
            f"more than {CLAIM_LIFETIME.total_seconds() / 60:.0f} minutes. This one has stopped."
        )


def release(row: ProvisioningAttempts, failure: str) -> None:
    """Give the claim back, with the reason of a failure and what others could not do meanwhile.

    A claim that another process has taken over is left alone.
    """
    try:
        with transaction.atomic(database_of(row)):
            require_claim(row, for_update=True)
            left = stored(row).values_list("last_error", flat=True).get()
            texts = [text for text in (failure, left) if text]
            write(row, provisioning_since=None, last_error="\n".join(texts) or None)
    except ProvisioningInProgress as error:
        if not failure:
            raise
        logger.error("%s", error)  # The failure that is being raised must not be replaced.
    finally:
        row.claimed_at = None


def leave_error(row: ProvisioningAttempts, text: str) -> None:
    """Add a text to the row's last error, whoever has the claim."""
    with transaction.atomic(database_of(row)):
        known = stored(row).select_for_update().values_list("last_error", flat=True).first()
        lines = [*(known or "").splitlines(), text]
        row.last_error = "\n".join(dict.fromkeys(lines))
        stored(row).update(last_error=row.last_error)


def _held_up(row: ProvisioningAttempts, makes_up_for: Optional[str]) -> str:
    """Return the texts of ``leave_error`` on the row that begin in another way."""
    known = stored(row).values_list("last_error", flat=True).first() or ""
    lines = [line for line in known.splitlines() if line.endswith(AFTERWARDS)]
    if makes_up_for is None:
        return "\n".join(lines)
    return "\n".join(line for line in lines if not line.startswith(makes_up_for))


def writing_client(row: ProvisioningAttempts, client: Any) -> WritingClient:
    """Return a client for the attempt under way, which stops when another one overtakes it."""

    def before_writing() -> None:
        require_claim(row)
        row.has_written = True

    return WritingClient(client, before_writing)


def database_of(row: ProvisioningAttempts) -> str:
    """Return the primary's alias: a replica may not have another process's claim yet."""
    return router.db_for_write(type(row), instance=row)


def stored(row: ProvisioningAttempts) -> Any:
    """Return the row in the database, as a queryset."""
    return type(row)._base_manager.using(database_of(row)).filter(pk=row.pk)


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
