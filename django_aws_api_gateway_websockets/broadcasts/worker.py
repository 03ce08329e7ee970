"""Worker of a broadcast: sends one chunk, and records each batch of it."""

from __future__ import annotations

import logging
import time
from contextlib import contextmanager
from functools import partial
from threading import Event, Thread
from typing import Iterator, Optional

from django.db import DatabaseError, InterfaceError, connections

from ..conf import conf
from ..models import BroadcastChunk, WebSocketSession, recipients

logger = logging.getLogger(__package__)

#: Recipients between two records. So many are in doubt when a worker dies.
BATCH_SIZE = 250

#: Seconds that a batch may take, at most. Most take one, or 30 where clients hang.
LONGEST_BATCH = 600

#: Batches that may share a process's max_send_rate at the same time.
AT_ONCE = 10


def deliver(pk: int) -> Optional[float]:
    """Send a chunk's message to all of its recipients that are not recorded yet.

    Returns None when nothing is left to do, or the seconds after which to call it again: another
    worker has claimed the chunk for so long, and may die. A failure is raised; the next call goes
    on from the last record. Call it outside of a transaction: inside, nobody else would see the
    records.
    """
    chunk = BroadcastChunk.objects.pending().select_related("broadcast").filter(pk=pk).first()
    if chunk is None:
        return None
    if not chunk.claim():
        return chunk.seconds_left
    try:
        send_rest(chunk)
    finally:
        release(chunk)
    return None


def release(chunk: BroadcastChunk) -> None:
    """Give up the claim, which expires if the database fails; an earlier error is still raised."""
    try:
        chunk.release()
    except (DatabaseError, InterfaceError) as error:
        logger.warning("Claim not released chunk=%s error=%s", chunk, error)


def send_rest(chunk: BroadcastChunk) -> None:
    """Send to the recipients that are not recorded, batch by batch, until the claim is lost."""
    while batch := chunk.recipients[chunk.reached : chunk.reached + BATCH_SIZE]:
        with renewing(chunk):
            is_mine = send_batch(chunk, batch)
        if not is_mine:
            logger.warning(
                "Another worker has taken over chunk=%s reached=%s", chunk, chunk.reached
            )
            return
    chunk.finish()


def send_batch(chunk: BroadcastChunk, batch: list[int]) -> bool:
    """Send to these sessions and record it; return False if the claim is lost.

    With ``at_most_once`` they are recorded before the message is sent as well.
    """
    end = chunk.reached + len(batch)
    if chunk.broadcast.at_most_once and not chunk.write_if_claimed(reached=end):
        return False
    # A replica may lag behind, and the sessions that it lacks would count as gone.
    sessions = WebSocketSession.objects.on_primary().filter(pk__in=batch)
    body = chunk.broadcast.message.encode()
    return recipients.send_recorded(sessions, body, partial(chunk.record, end))


@contextmanager
def renewing(chunk: BroadcastChunk) -> Iterator[None]:
    """Renew the claim for the length of the block, as long as a batch can take."""
    over = Event()
    thread = Thread(target=renew, args=(chunk, over), name="broadcast-claim", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def renew(chunk: BroadcastChunk, over: Event) -> None:
    """Renew the claim three times in each lease, until the event is set.

    What takes longer than a batch can has hung, and another worker shall take the chunk.
    """
    until = time.monotonic() + longest_batch()
    while not over.wait(conf.task_lease / 3):
        if time.monotonic() >= until:
            logger.warning("The batch has hung: claim left to others chunk=%s", chunk)
            return
        try:
            chunk.write_if_claimed()
        except (DatabaseError, InterfaceError) as error:  # The next try may be in time.
            logger.warning("Claim not renewed chunk=%s error=%s", chunk, error)
        finally:
            connections.close_all()  # this thread's own


def longest_batch() -> float:
    """Return the most seconds that a batch may take, in a process that sends several at once."""
    waiting = BATCH_SIZE * AT_ONCE / conf.max_send_rate if conf.max_send_rate else 0
    return min(conf.send_timeout, LONGEST_BATCH + waiting)
