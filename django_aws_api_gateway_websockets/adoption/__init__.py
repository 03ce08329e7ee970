"""Adoption of databases that releases of the original package have made.

``halfway`` knows which databases of 1.1.1 are not finished. Nothing here asks the models: the
tables may be older or newer than these.
"""
