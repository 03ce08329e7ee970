"""Engines: what carries HTTP requests to ``@connections``, many at a time."""
