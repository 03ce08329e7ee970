"""Broadcasts in a task queue: the work of one task, and the backends that enqueue it."""
