from __future__ import annotations

import pytest

from tests.aws_requests import answered


@pytest.fixture
def news(project, mount):
    mount(project.news.views.NewsView)
    return project.news.models


@pytest.fixture
def notify(news, commit):
    def notify(user, text):
        with commit():
            news.notify(user, text)
        return user.notices.latest("pk").as_dict()

    return notify


def test_a_notice_reaches_the_open_windows(notify, connect, alice, bob):
    hers, his = connect(alice), connect(bob)
    notice = notify(alice, "hello")
    assert notice["text"] == "hello"
    assert (hers.received, his.received) == ([{"notices": [notice]}], [])


def test_what_was_missed_is_delivered_until_it_was_read(notify, connect, alice):
    first, second = notify(alice, "first"), notify(alice, "second")
    window = connect(alice)
    assert window.send({"action": "unread"}).json() == {"notices": [first, second]}
    window.send({"action": "read", "id": first["id"]})
    assert window.send({"action": "unread"}).json() == {"notices": [second]}


def test_nobody_reads_for_another_one(notify, connect, alice, bob):
    notice = notify(alice, "hello")
    connect(bob).send({"action": "read", "id": notice["id"]})
    assert not alice.notices.get().is_read


@pytest.mark.parametrize("pk", [None, "1", [], 1.5, 0, 2**63])
def test_an_id_that_is_none_is_refused(news, connect, alice, pk):
    refused = connect(alice).send({"action": "read", "id": pk})
    assert answered(refused) == (400, b"No such id")


def test_the_page_shows_each_notice_once_and_confirms_it(project, node):
    result = node(
        """
        const said = [], texts = [];
        const json = {notices: [{id: 7, text: "hello"}]};
        const call = async (action) => (said.push(action), json);
        const socket = {send: (frame) => said.push(frame), call};
        follow(socket, (text) => texts.push(text));
        socket.onmessage({json});
        socket.onopen().then(() => console.log(JSON.stringify([texts, said])));
        """,
        project.files["news/static/news/notices.js"],
    )
    read = {"action": "read", "id": 7}
    assert result == [["hello"], [read, "unread", read]]
