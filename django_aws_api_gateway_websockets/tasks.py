"""Tasks of the app, where Celery's autodiscover_tasks() looks for them."""

from __future__ import annotations

from .broadcasts.celery import deliver_chunk

__all__ = ["deliver_chunk"]
