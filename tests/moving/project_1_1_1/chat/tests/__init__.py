"""The chat's own tests, which pass on 1.1.1.

Where a newer release of the package answers otherwise on purpose, the test says both answers, by
`differs`.
"""

from __future__ import annotations

import django_aws_api_gateway_websockets

#: 1.1.1 does not say which release it is.
IS_ORIGINAL = not hasattr(django_aws_api_gateway_websockets, "__version__")


def differs(was, now):
    """What is right on 1.1.1, or what is right on the newer release."""
    return was if IS_ORIGINAL else now
