"""Processes that fork while they have connections: the child must leave those alone."""

from __future__ import annotations

import threading

from tests.edge import DEADLINE
from tests.wire import OK


class Meeting:
    """Answers requests to ``warm`` when that many are there, so that each has a connection."""

    def __init__(self, number):
        self._barrier = threading.Barrier(number, timeout=DEADLINE)

    def __call__(self, request):
        if "/warm" in request.target:
            self._barrier.wait()
        return OK


def connections(server, name):
    return {r.connection for r in server.requests if f"/{name}" in r.target}


ENDS = {
    "return": "sys.exit()",
    "error": "sys.excepthook = lambda *args: os._exit(0); raise RuntimeError",
    "os._exit": "os._exit(0)",
}


USES = {"sends": "send(name, 3)", "idles": "pass"}

#: Each use and end of a child, one after another. A case's name is in those of its recipients.
CASES = "".join(
    f"""
send("warm-{use}-{end}-", 20)
name = "child-{use}-{end}-"
pid = os.fork()
if not pid:
    {USES[use]}
    gc.collect()
    {ENDS[end]}
wait_for(pid)
send("after-{use}-{end}-", 20)
"""
    for use in USES
    for end in ENDS
)


def test_a_child_leaves_the_connections_of_its_parent_alone(program, server):
    server.answering = Meeting(20)
    program(CASES)
    assert server.broken == []
    for case in (f"{use}-{end}-" for use in USES for end in ENDS):
        warm, child = connections(server, f"warm-{case}"), connections(server, f"child-{case}")
        assert len(warm) == 20
        assert connections(server, f"after-{case}") <= warm
        assert not child & connections(server, "warm")
        assert bool(child) == case.startswith("sends")


def test_a_child_of_multiprocessing_leaves_them_alone(program, server):
    server.answering = Meeting(20)
    program("""
send("warm", 20)
child = multiprocessing.get_context("fork").Process(target=send, args=("child", 3))
child.start()
child.join()
assert child.exitcode == 0
send("after", 20)
""")
    assert server.broken == []
    assert connections(server, "after") <= connections(server, "warm")
    assert not connections(server, "child") & connections(server, "warm")


def test_a_child_of_a_child_has_connections_of_its_own(program, server):
    program("""
send("parent", 3)
pid = os.fork()
if not pid:
    send("child", 3)
    pid = os.fork()
    if not pid:
        send("grandchild", 3)
        sys.exit()
    wait_for(pid)
    send("child-again", 1)
    sys.exit()
wait_for(pid)
send("parent-again", 1)
""")
    assert server.broken == []
    families = [connections(server, name) for name in ("parent", "child", "grandchild")]
    assert len(set().union(*families)) == sum(map(len, families))
    assert server.connections == sum(map(len, families))


def test_a_child_forked_in_the_middle_of_a_broadcast_does_not_disturb_it(program, server):
    program(f"""
started, forked = threading.Event(), threading.Event()

def recipients(name):
    for number in range(2000):
        # By now no thread looks a name up any more: in libc that holds a lock, which a fork leaves
        # locked in the child.
        if number == 1500:
            started.set()
            forked.wait({DEADLINE})
        yield Recipient(f"{{name}}{{number}}", endpoint)

def broadcast(name):
    outcomes.extend(outcome for _, outcome in sending.fan_out(b"x", recipients(name)))

outcomes = []
thread = threading.Thread(target=broadcast, args=("warm",))
thread.start()
started.wait({DEADLINE})
pid = os.fork()
if not pid:
    send("child", 20)
    sys.exit()
wait_for(pid)
forked.set()
thread.join()
assert outcomes == [sending.SENT] * 2000, outcomes
send("after", 20)
""")
    assert server.broken == []
    assert not connections(server, "child") & connections(server, "warm")


def test_a_child_forked_within_a_broadcast_may_leave_it(program, server):
    """Its stack has the parent's broadcast in it, which an exit unwinds."""
    program("""
def recipients():
    for number in range(400):
        if number == 300:
            pid = os.fork()
            if not pid:
                send("child", 3)
                sys.exit()
            wait_for(pid)
        yield Recipient(f"warm{number}", endpoint)

outcomes = [outcome for _, outcome in sending.fan_out(b"x", recipients())]
assert outcomes == [sending.SENT] * 400, outcomes
send("after", 20)
""")
    assert server.broken == []
    assert len({r.target for r in server.requests if "/warm" in r.target}) == 400
    assert len(server.requests) == 400 + 3 + 20
    assert not connections(server, "child") & connections(server, "warm")


def test_a_fork_while_a_client_is_being_made_does_not_hang_the_child(program):
    program(f"""
locked, forked = threading.Event(), threading.Event()

def hold():
    with aws._cache().lock:
        locked.set()
        forked.wait({DEADLINE})

thread = threading.Thread(target=hold)
thread.start()
locked.wait({DEADLINE})
pid = os.fork()
if not pid:
    settings.WEBSOCKETS = {{"transport": "boto3"}}
    send("child", 2)
    os._exit(0)
wait_for(pid)
forked.set()
thread.join()
""")


def test_many_children_of_a_busy_process_all_end(program, server):
    """Whatever its threads have locked at that moment."""
    program("""
stop = threading.Event()

def broadcast():
    while not stop.is_set():
        send("parent", 40)

send("first", 1)  # Whoever forks while another thread imports has lost anyway.
thread = threading.Thread(target=broadcast)
thread.start()
children = []
try:
    for _ in range(10):
        children.append(os.fork())
        if not children[-1]:
            send("child", 1)
            sys.exit()
        stop.wait(random.uniform(0, 0.05))  # The next one comes at any moment of a broadcast.
finally:
    stop.set()
for pid in children:
    wait_for(pid)
""")
    assert server.broken == []
