"""Run by ``python -m django test tests.custom_user --settings=tests.custom_user.settings``."""

from __future__ import annotations

from django.test import TestCase

from django_aws_api_gateway_websockets.models import WebSocketSession
from django_aws_api_gateway_websockets.testing import WebSocketTestMixin
from tests.custom_user.models import Member


class CustomUserTests(WebSocketTestMixin, TestCase):
    def test_a_member_connects_and_is_the_user_of_the_message(self) -> None:
        member = Member.objects.create(email="alice@example.com")
        ws = self.websocket("/ws/", user=member, channel="lobby")
        self.assertEqual(ws.send({"action": "whoami"}).json(), {"user": "alice@example.com"})
        self.assertEqual(ws.session.user, member)

    def test_a_member_has_sessions_to_send_to(self) -> None:
        member = Member.objects.create(email="alice@example.com")
        ws = self.websocket("/ws/", user=member)
        report = member.websocket_sessions.send_message({"text": "hello"})
        self.assertEqual((report.sent, ws.received), (1, [{"text": "hello"}]))

    def test_the_sessions_of_a_member_end_with_the_member(self) -> None:
        member = Member.objects.create(email="alice@example.com")
        ws = self.websocket("/ws/", user=member)
        member.delete()
        self.assertFalse(WebSocketSession.objects.exists())
        self.assertEqual(ws.send({"action": "whoami"}).status_code, 400)
