"""Engines: they carry HTTP requests to ``@connections``, many at a time."""
