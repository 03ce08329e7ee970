"""Digests of secrets: what may be stored, because nobody can compute the secret from it."""

from __future__ import annotations

from hashlib import sha256


def digest(text: str) -> str:
    """Return the SHA-256 of the text's UTF-8, as 64 hexadecimal digits."""
    return sha256(text.encode()).hexdigest()
