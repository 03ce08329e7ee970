"""Listeners of post_save: presence and audit hear what 1.1.1 saves."""

from __future__ import annotations

from django.db.models.signals import post_save, pre_save

from chat.models import Presence
from chat.tests.gateway import GatewayTestCase, Socket, error_of
from django_aws_api_gateway_websockets.models import WebSocketSession


class PresenceTests(GatewayTestCase):
    def setUp(self):
        super().setUp()
        self.heard = []
        post_save.connect(self.hear, WebSocketSession)
        self.addCleanup(post_save.disconnect, self.hear, WebSocketSession)
        self.socket = Socket()

    def hear(self, instance, created, **kwargs):
        self.heard.append((instance.connection_id, created, instance.connected))

    def test_a_connect_is_heard(self):
        self.socket.connect()
        self.assertEqual(self.heard, [("one=", True, True)])
        self.assertTrue(Presence.objects.get(connection_id="one=").is_there)

    def test_a_message_is_heard(self):
        self.socket.connect()
        self.heard.clear()
        self.socket.send("whoami")
        self.assertEqual(self.heard, [("one=", False, True)])

    def test_the_count_of_messages_is_heard(self):
        counts = []

        def count(instance, **kwargs):
            counts.append(instance.request_count)

        post_save.connect(count, WebSocketSession)
        self.addCleanup(post_save.disconnect, count, WebSocketSession)
        self.socket.connect()
        self.socket.send("whoami")
        self.socket.send("whoami")
        self.assertEqual(counts, [1, 2, 3])

    def test_a_disconnect_is_heard_last(self):
        self.socket.connect()
        self.heard.clear()
        self.socket.disconnect()
        self.assertEqual(self.heard[-1], ("one=", False, False))
        self.assertFalse(Presence.objects.get(connection_id="one=").is_there)

    def test_a_gone_connection_is_heard_when_it_is_sent_to(self):
        self.socket.connect()
        self.heard.clear()
        self.post_to_connection.side_effect = error_of("GoneException", 410)
        WebSocketSession.objects.get().send_message({"text": "hello"})
        self.assertEqual(self.heard, [("one=", False, False)])
        self.assertFalse(Presence.objects.get().is_there)

    def test_gone_connections_of_a_queryset_are_heard(self):
        for name in ("one=", "two="):
            Socket(connection_id=name).connect()
        self.heard.clear()
        self.post_to_connection.side_effect = error_of("GoneException", 410)
        WebSocketSession.objects.filter(channel_name="lobby").send_message({"text": "hello"})
        self.assertEqual(sorted(self.heard), [(n, False, False) for n in ("one=", "two=")])
        self.assertFalse(Presence.objects.filter(is_there=True).exists())

    def test_sending_is_not_heard(self):
        self.socket.connect()
        self.heard.clear()
        WebSocketSession.objects.send_message({"text": "hello"})
        self.assertEqual(self.heard, [])

    def test_pre_save_hears_a_disconnect_too(self):
        before = []

        def hear(instance, **kwargs):
            before.append(instance.connected)

        self.socket.connect()
        pre_save.connect(hear, WebSocketSession)
        self.addCleanup(pre_save.disconnect, hear, WebSocketSession)
        self.socket.disconnect()
        self.assertEqual(before[-1:], [False])
