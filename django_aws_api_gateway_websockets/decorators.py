"""Decorators for handlers. Knows no view: WebSocketView reads what they note on a handler."""

from __future__ import annotations

from functools import wraps
from inspect import iscoroutinefunction
from typing import Any, Callable, Sequence, TypeVar, Union, cast

from asgiref.sync import sync_to_async

from .exceptions import AccessDenied

Handler = TypeVar("Handler", bound=Callable[..., Any])


def permission_required(perm: Union[str, Sequence[str]]) -> Callable[[Handler], Handler]:
    """Let a handler be called only by users with the permission, or with all of several.

    It is Django's decorator of this name, for the methods of a WebSocketView. Other users get a
    403.
    """
    permissions = (perm,) if isinstance(perm, str) else tuple(perm)

    def decorate(handler: Handler) -> Handler:
        # The view reads permissions_required and checks them before it counts the message. The
        # handler checks again, because another handler may call it, or a decorator above this one
        # may hide the attribute.
        @wraps(handler)
        def checked(view: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
            check_permissions(request.user, permissions)
            return handler(view, request, *args, **kwargs)

        @wraps(handler)
        async def checked_async(view: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
            await sync_to_async(check_permissions)(request.user, permissions)
            return await handler(view, request, *args, **kwargs)

        chosen: Any = checked_async if iscoroutinefunction(handler) else checked
        chosen.permissions_required = (*permissions_of(handler), *permissions)
        return cast(Handler, chosen)

    return decorate


def permissions_of(handler: Callable[..., Any]) -> tuple[str, ...]:
    """Return the permissions that a handler's user must have."""
    return tuple(getattr(handler, "permissions_required", ()))


def check_permissions(user: Any, permissions: Sequence[str]) -> None:
    """Raise AccessDenied unless the user has all of them."""
    missing = [name for name in permissions if not user.has_perm(name)]
    if missing:
        raise AccessDenied("Permission denied", reason=f"user={user.pk} lacks {missing}")
