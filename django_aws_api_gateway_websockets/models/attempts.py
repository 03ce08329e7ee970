"""Attempts at provisioning: one at a time for each gateway, with the outcome on its row.

The claim is one conditional UPDATE, not a database lock: the calls to AWS take a minute at worst,
and none of them may run inside a transaction.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from datetime import timedelta
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

#: After this time a claim is that of a process that died. A whole run takes under a minute;
#: botocore's time-outs and the waits for throttling stretch it to a few.
CLAIM_LASTS = timedelta(minutes=15)


class ProvisioningAttempts(models.Model):
    """The columns and the verbs of attempts at provisioning; a gateway inherits them."""

    # Nullable, so that rows and releases without these columns go on working.
    creation_token = models.CharField(max_length=32, null=True, editable=False)  # noqa: DJ001
    provisioning_since = models.DateTimeField(null=True, editable=False)
    last_error = models.TextField(null=True, editable=False)  # noqa: DJ001
    updated_on = models.DateTimeField(auto_now=True)

    #: The columns that an attempt reads again under the claim: another one may have written them.
    columns_of_attempts: ClassVar[Sequence[str]] = ("creation_token", "provisioning_since")

    class Meta:
        abstract = True

    @property
    def is_being_provisioned(self) -> bool:
        """True while an attempt is under way."""
        since = self.provisioning_since
        return since is not None and since > timezone.now() - CLAIM_LASTS

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Hold the claim for the length of the block; record a failure with its reason.

        Raises GatewayNotReady for an unsaved row, ProvisioningInProgress if another process has
        the claim, and AwsCallFailed in place of botocore's errors.
        """
        self._claim()
        failure = ""
        try:
            with translated_errors():
                yield
        except Exception as error:
            failure = str(error) or repr(error)
            raise
        finally:
            self.write(provisioning_since=None, last_error=failure or None)

    def attempt_or_log(self, failure: str, work: Callable[[], None]) -> None:
        """Attempt it after a commit, when it is too late to raise.

        ``failure`` begins the log line of an attempt that fails.
        """
        try:
            with self.attempt():
                work()
        except WebSocketError as error:
            logger.error("%s: %s", failure, error)

    def write(self, **columns: Any) -> None:
        """Write these columns, and no other, to the row and to the object."""
        for name, value in columns.items():
            setattr(self, name, value)
        self.save(update_fields=[*columns, "updated_on"])

    def _claim(self) -> None:
        if self.pk is None:
            raise GatewayNotReady("Save the gateway before provisioning it.")
        now = timezone.now()
        # A replica may not have what another process has just written.
        database = router.db_for_write(type(self), instance=self)
        rows = type(self)._base_manager.using(database).filter(pk=self.pk)
        free = Q(provisioning_since=None) | Q(provisioning_since__lt=now - CLAIM_LASTS)
        if not rows.filter(free).update(
            provisioning_since=now,
            creation_token=Coalesce("creation_token", Value(get_random_string(32))),
        ):
            raise ProvisioningInProgress(
                f"{self} is being provisioned by another process. If that one has died, "
                f"try again {CLAIM_LASTS.total_seconds() / 60:.0f} minutes after it began."
            )
        self.refresh_from_db(using=database, fields=self.columns_of_attempts)


@contextmanager
def translated_errors() -> Iterator[None]:
    """Raise AwsCallFailed in place of botocore's errors."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise AwsCallFailed(str(error)) from error
