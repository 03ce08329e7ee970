"""Responses: what is read of their bytes is what http.client reads of the same bytes."""

from __future__ import annotations

import http.client
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_aws_api_gateway_websockets.sending.sockets.responses import read
from tests.fuzz import fuzzed
from tests.sending.sockets.answers import answer

ORDINARY = (
    b"HTTP/1.1 403 Forbidden\r\nDate: Wed, 25 Nov 2026 10:00:00 GMT\r\nContent-Length: 2\r\n"
    b"Connection: keep-alive\r\nx-amzn-ErrorType: A:http://b/\r\n\r\n{}"
)


class Stream(io.BytesIO):
    """All bytes that a server sends before it closes, as http.client's socket."""

    def makefile(self, mode):
        return self


def read_by_http_client(data):
    """(status, error type, body) of the final response; the status alone if the rest is broken.

    None if there is no status at all.
    """
    stream = Stream(data)
    while True:
        response = http.client.HTTPResponse(stream)
        response.close = response._close_conn = lambda: None  # It would close the stream.
        try:
            response.begin()
            if 100 <= response.status < 200 and response.status != 101:
                continue
            body = response.read()
        except (http.client.HTTPException, ValueError, OverflowError):
            if not isinstance(response.status, int):
                return None
            body = None
        is_error = response.status >= 300 and response.headers
        error_type = response.headers.get("x-amzn-ErrorType", "") if is_error else ""
        return response.status, error_type, body


def read_in_pieces(data, cuts):
    """What is read when the bytes have come up to each of the cuts, and the server closes."""
    try:
        for cut in cuts:
            response = read(data[:cut], is_all=False)
            if response:
                return response
        return read(data, is_all=True)
    except http.client.HTTPException:
        return None


def assert_same(found, data):
    expected = read_by_http_client(data)
    if expected is None:
        assert found is None
        return
    status, error_type, body = expected
    assert (found.status, found.error_type) == (status, error_type)
    assert found.body == (body or b"")


@pytest.mark.no_cover
@fuzzed
@given(data=st.data())
def test_an_answer_cut_at_every_byte_reads_as_by_http_client(data):
    def choose(values):
        return data.draw(st.sampled_from(values))

    whole = answer(choose, b"Own")
    assert_same(read_in_pieces(whole, range(1, len(whole) + 1)), whole)


@pytest.mark.no_cover
@fuzzed
@given(data=st.data(), noise=st.binary(max_size=6))
def test_an_answer_with_noise_in_it_reads_as_by_http_client(data, noise):
    def choose(values):
        return data.draw(st.sampled_from(values))

    whole = answer(choose, b"Own")
    at, until = sorted(data.draw(st.tuples(*[st.integers(0, len(whole))] * 2)))
    whole = whole[:at] + noise + whole[until:]
    cuts = data.draw(st.lists(st.integers(1, len(whole) + 1), max_size=4).map(sorted))
    assert_same(read_in_pieces(whole, cuts), whole)


@pytest.mark.no_cover
@fuzzed
@given(data=st.data())
def test_a_connection_is_used_again_only_if_nothing_is_left_on_it(data):
    def choose(values):
        return data.draw(st.sampled_from(values))

    whole = answer(choose, b"Own") + choose([b"", b"", b"\r\n", ORDINARY])
    for cut in range(1, len(whole) + 1):
        try:
            response = read(whole[:cut], is_all=False)
        except http.client.HTTPException:
            return
        if response and response.is_reusable:
            # What follows would read as it does alone.
            assert read(ORDINARY, is_all=False)[:3] == read(ORDINARY, is_all=True)[:3]
            assert read_by_http_client(whole[:cut])[2] is not None
            assert read_by_http_client(whole[:cut] + ORDINARY)[:2] == response[:2]
            return


def test_an_ordinary_answer_is_read_when_it_is_whole():
    assert read(ORDINARY, is_all=False) == (403, "A:http://b/", b"{}", True)
    for cut in range(ORDINARY.index(b"{"), len(ORDINARY)):
        assert read(ORDINARY[:cut], is_all=False) is None
    assert not read(ORDINARY + b"\n", is_all=False).is_reusable
