"""Marks on handlers. Knows no view: WebSocketView reads them before it calls a handler."""

from __future__ import annotations

from typing import Any, Callable, Sequence, TypeVar, Union

Handler = TypeVar("Handler", bound=Callable[..., Any])


def permission_required(perm: Union[str, Sequence[str]]) -> Callable[[Handler], Handler]:
    """Let only those call a handler who have the permission, or all of several.

    As Django's decorator of this name, for the methods of a WebSocketView. Others are answered
    with a 403.
    """
    permissions = (perm,) if isinstance(perm, str) else tuple(perm)

    def mark(handler: Handler) -> Handler:
        handler.permissions_required = (  # type: ignore[attr-defined]
            *permissions_of(handler),
            *permissions,
        )
        return handler

    return mark


def permissions_of(handler: Callable[..., Any]) -> tuple[str, ...]:
    """Return the permissions that a handler's user must have."""
    return tuple(getattr(handler, "permissions_required", ()))
