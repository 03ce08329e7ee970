"""Dependents: an app whose models and migrations hang on those of this package."""
