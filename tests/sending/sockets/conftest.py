from functools import partial

import pytest

from tests.sending.sockets import programs


@pytest.fixture
def program(transport, server):
    """``program(lines)`` runs these, which send to the server, in a process of their own."""
    return partial(programs.run, transport=transport, url=server.url)
