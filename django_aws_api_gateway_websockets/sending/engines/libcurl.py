"""libcurl: an engine with many requests in one thread. Needs the extra `fast`.

It uses libcurl's multi interface.
"""

from __future__ import annotations

import ctypes
import math
import os
import select
import time
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Set, Tuple
from weakref import WeakSet

import pycurl

from .base import MAX_RESPONSE_BYTES, Answer, Request, Timeouts, error_answer

#: Requests in flight, by default.
LIBCURL_IN_FLIGHT = 256

#: From so many requests in flight on, answers gather for so many seconds before they are handled.
#: To handle each by itself takes a fifth more of the CPU.
GATHER_FROM, LIBCURL_GATHERING = 64, 0.0005

CONNECTION_CLOSED = "ConnectionClosedError"

#: botocore's names for libcurl's errors. Their list: curl's page libcurl-errors.
FAILURES = {
    pycurl.E_COULDNT_RESOLVE_PROXY: "ProxyConnectionError",
    pycurl.E_COULDNT_RESOLVE_HOST: "EndpointConnectionError",
    pycurl.E_COULDNT_CONNECT: "EndpointConnectionError",
    pycurl.E_GOT_NOTHING: CONNECTION_CLOSED,
    pycurl.E_SEND_ERROR: CONNECTION_CLOSED,
    pycurl.E_RECV_ERROR: CONNECTION_CLOSED,
    pycurl.E_PARTIAL_FILE: CONNECTION_CLOSED,
    pycurl.E_SSL_CONNECT_ERROR: "SSLError",
    pycurl.E_PEER_FAILED_VERIFICATION: "SSLError",
    pycurl.E_SSL_CACERT: "SSLError",  # the same since libcurl 7.62
    pycurl.E_SSL_CACERT_BADFILE: "SSLError",
}
#: Errors that a second try would meet again.
PERMANENT_FAILURES = {
    pycurl.E_PEER_FAILED_VERIFICATION,
    pycurl.E_SSL_CACERT,
    pycurl.E_SSL_CACERT_BADFILE,
}


class Sockets:
    """The sockets that libcurl waits for. Its constants: POLL_IN is 1, POLL_OUT 2, both are 3."""

    def __init__(self) -> None:
        # The module selectors would take a tenth of a message's time.
        self._is_epoll = hasattr(select, "epoll")
        self._poll: Any = select.epoll() if self._is_epoll else select.poll()
        self._watched: Set[int] = set()

    def watch(self, descriptor: int, what: int) -> None:
        events = what & pycurl.POLL_IN and select.POLLIN
        events |= what & pycurl.POLL_OUT and select.POLLOUT
        if descriptor in self._watched:
            self._poll.modify(descriptor, events)
        else:
            self._watched.add(descriptor)
            self._poll.register(descriptor, events)

    def forget(self, descriptor: int) -> None:
        if descriptor in self._watched:
            self._watched.remove(descriptor)
            self._poll.unregister(descriptor)

    def wait(self, seconds: float) -> Iterator[Tuple[int, int]]:
        """Yield the sockets on which something happened, each with what happened."""
        # Rounded up: otherwise the last millisecond would be spent in a busy loop.
        timeout = seconds if self._is_epoll else math.ceil(seconds * 1000)
        for descriptor, events in self._poll.poll(timeout):
            action = events & select.POLLIN and pycurl.CSELECT_IN
            action |= events & select.POLLOUT and pycurl.CSELECT_OUT
            yield descriptor, action or pycurl.CSELECT_ERR

    def close(self) -> None:
        if self._is_epoll:
            self._poll.close()


class Handle:
    """An easy handle of libcurl, which is used for one request after another."""

    def __init__(self, certificates: str) -> None:
        self.tag: Any = None
        self._head: List[bytes] = []
        self._body: List[bytes] = []
        self._read = 0
        self._sent: Tuple[Any, ...] = ()
        self.curl = pycurl.Curl()
        options: Dict[int, Any] = {
            pycurl.NOSIGNAL: 1,  # signals belong to the main thread
            pycurl.HTTP_VERSION: pycurl.CURL_HTTP_VERSION_1_1,
            pycurl.PATH_AS_IS: 1,  # as it was signed
            pycurl.TCP_KEEPALIVE: 1,
            pycurl.HEADERFUNCTION: self._head.append,
            pycurl.WRITEFUNCTION: self._append_body,
            pycurl.NOPROXY: "",  # the address has regarded NO_PROXY already
        }
        is_directory = Path(certificates).is_dir()
        authorities = {True: pycurl.CAPATH, False: pycurl.CAINFO}
        proxy_authorities = {True: pycurl.PROXY_CAPATH, False: pycurl.PROXY_CAINFO}
        options[authorities[is_directory]] = certificates
        options[proxy_authorities[is_directory]] = certificates
        for option, value in options.items():
            self.curl.setopt(option, value)
        # Trust nothing else: libcurl was built with a default for the other option.
        self.curl.unsetopt(authorities[not is_directory])
        self.curl.unsetopt(proxy_authorities[not is_directory])

    def prepare(self, tag: Any, request: Request, timeouts: Timeouts) -> None:
        curl, address = self.curl, request.address
        self.tag = tag
        self._head.clear()
        self._body.clear()
        self._read = 0
        curl.setopt(pycurl.URL, address.origin + request.path)
        lines = [f"{name}: {value}" for name, value in request.headers.items()]
        # Without these two, libcurl would declare the body to be a form, and would wait for a
        # "100 Continue" before it sends a long one.
        curl.setopt(pycurl.HTTPHEADER, [*lines, "Content-Type:", "Expect:"])
        same = (request.method, request.body, address.proxy, timeouts)
        if same != self._sent:
            self._prepare_rest(*same)
            self._sent = same

    def _prepare_rest(
        self, method: str, body: bytes, proxy: Optional[str], timeouts: Timeouts
    ) -> None:
        self.curl.setopt(pycurl.CUSTOMREQUEST, method)
        if method == "POST":
            self.curl.setopt(pycurl.POSTFIELDS, body)
        else:
            self.curl.setopt(pycurl.HTTPGET, 1)
        self.curl.setopt(pycurl.PROXY, proxy or "")
        self.curl.setopt(pycurl.CONNECTTIMEOUT_MS, milliseconds(timeouts.connect))
        self.curl.setopt(pycurl.TIMEOUT_MS, milliseconds(sum(timeouts)))

    def _append_body(self, data: bytes) -> Optional[int]:
        self._read += len(data)
        if self._read > MAX_RESPONSE_BYTES:
            return -1
        self._body.append(data)
        return None

    def answer(self) -> Answer:
        status = self.curl.getinfo(pycurl.RESPONSE_CODE)
        if 200 <= status < 300:
            return Answer(status)
        return error_answer(status, self._error_type(), b"".join(self._body))

    def _error_type(self) -> str:
        for line in self._head:
            name, _, value = line.partition(b":")
            if name.lower() == b"x-amzn-errortype":
                return value.strip().decode("latin-1")
        return ""

    def failure(self, code: int) -> Answer:
        if code == pycurl.E_OPERATION_TIMEDOUT:
            has_asked = self.curl.getinfo(pycurl.REQUEST_SIZE) > 0
            return Answer(0, "ReadTimeoutError" if has_asked else "ConnectTimeoutError", True)
        proxy = self._sent[2]
        if proxy and (
            code == pycurl.E_COULDNT_CONNECT or self.curl.getinfo(pycurl.HTTP_CONNECTCODE) > 299
        ):
            return Answer(0, "ProxyConnectionError", True)
        return Answer(0, FAILURES.get(code, f"curl error {code}"), code not in PERMANENT_FAILURES)


class LibcurlEngine:
    """A multi handle of libcurl, with the connections that it keeps, and an event loop."""

    def __init__(self, capacity: int, certificates: str) -> None:
        self.capacity = capacity
        self._owner = os.getpid()
        self._certificates = certificates
        self._handles: Dict[pycurl.Curl, Handle] = {}
        self._idle: List[Handle] = []
        self._sockets = Sockets()
        self._timer: Optional[float] = None
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_MAXCONNECTS, capacity)
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._watch)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._set_timer)
        _engines.add(self)

    def start(self, tag: Any, request: Request, timeouts: Timeouts) -> None:
        handle = self._idle.pop() if self._idle else self._new_handle()
        handle.prepare(tag, request, timeouts)
        self._multi.add_handle(handle.curl)

    def wait(self, seconds: float) -> List[Tuple[Any, Answer]]:
        deadline = time.monotonic() + seconds
        while True:
            now = time.monotonic()
            if self._timer is not None and now >= self._timer:
                self._timer = None
                self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
            # Before the sockets are polled: an answer may be there as soon as its request is sent.
            answers = self._collect()
            if answers or now >= deadline:
                return answers
            if len(self._handles) - len(self._idle) >= GATHER_FROM:
                time.sleep(LIBCURL_GATHERING)
            ends = deadline if self._timer is None else min(deadline, self._timer)
            for descriptor, action in self._sockets.wait(max(0.0, ends - now)):
                self._multi.socket_action(descriptor, action)

    def close(self) -> None:
        if os.getpid() != self._owner:
            return
        self._multi.close()
        self._handles.clear()
        self._idle.clear()
        self._sockets.close()

    def _new_handle(self) -> Handle:
        handle = Handle(self._certificates)
        self._handles[handle.curl] = handle
        return handle

    def _collect(self) -> List[Tuple[Any, Answer]]:
        answers = []
        more = 1
        while more:
            more, finished, broken = self._multi.info_read()
            for curl in finished:
                answers.append(self._release(curl, pycurl.E_OK))
            for curl, code, _ in broken:
                answers.append(self._release(curl, code))
        return answers

    def _release(self, curl: pycurl.Curl, code: int) -> Tuple[Any, Answer]:
        self._multi.remove_handle(curl)
        handle = self._handles[curl]
        answer = handle.failure(code) if code else handle.answer()
        tag, handle.tag = handle.tag, None
        self._idle.append(handle)
        return tag, answer

    def _watch(self, what: int, descriptor: int, multi: Any, data: Any) -> None:
        """Note which socket libcurl waits for, and for what. libcurl calls it."""
        if what == pycurl.POLL_REMOVE:
            self._sockets.forget(descriptor)
        else:
            self._sockets.watch(descriptor, what)

    def _set_timer(self, timeout: int) -> None:
        """Note after how many milliseconds libcurl wants to be called. libcurl calls it."""
        self._timer = None if timeout < 0 else time.monotonic() + timeout / 1000


def milliseconds(seconds: float) -> int:
    return max(1, int(seconds * 1000))  # for libcurl, 0 means that there is no timeout


_engines: WeakSet[LibcurlEngine] = WeakSet()


def _leave_to_parent() -> None:
    """In a forked child, never free the parent's engines, not even at the child's exit.

    When libcurl is freed, it says goodbye to the servers, on connections that the parent uses.
    """
    for engine in _engines:
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(engine))


os.register_at_fork(after_in_child=_leave_to_parent)
