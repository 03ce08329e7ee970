"""Where Celery's autodiscover_tasks() looks for an app's tasks."""

from __future__ import annotations

from .broadcasts.celery import deliver_chunk

__all__ = ["deliver_chunk"]
