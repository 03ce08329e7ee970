"""Adoption of databases that releases of the original package have made.

``halfway`` knows the databases of 1.1.1 that are not finished, and ``later`` what releases 3.0 to
4.1.0 have left; ``requirements`` lets our migrations ask both. ``losses`` tells what an adoption
would lose, ``memory`` keeps what it must carry over, and ``adopting`` does it.

Nothing here asks our models: the tables may be older or newer than these.
"""
