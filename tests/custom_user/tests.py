"""Run by ``python -m django test tests.custom_user --settings=tests.custom_user.settings``."""

from __future__ import annotations

from django.core.management import call_command
from django.test import Client, TestCase, override_settings
from django.urls import path

from django_aws_api_gateway_websockets.models import WebSocketSession
from django_aws_api_gateway_websockets.testing import WebSocketClient, WebSocketTestMixin
from django_aws_api_gateway_websockets.views import WebSocketTokenView
from tests.custom_user.models import Apprentice, Honorary, Member
from tests.custom_user.urls import urlpatterns

WHOAMI = {"action": "whoami"}


class CustomUserTests(WebSocketTestMixin, TestCase):
    def test_a_member_connects_and_is_the_user_of_the_message(self) -> None:
        member = Member.objects.create(email="alice@example.com")
        ws = self.websocket("/ws/", user=member, channel="lobby")
        self.assertEqual(ws.send({"action": "whoami"}).json(), {"user": "alice@example.com"})
        self.assertEqual(ws.session.user, member)

    @override_settings(ROOT_URLCONF=(*urlpatterns, path("ticket/", WebSocketTokenView.as_view())))
    def test_a_member_of_a_child_class_is_an_object_of_that_class_in_messages(self) -> None:
        browser = Client()
        browser.force_login(Apprentice.plain.create(email="bob@example.com"))
        ticket = browser.post("/ticket/").json()["ws_token"]
        for options in ({"browser": browser}, {"ticket": ticket}):
            ws = self.websocket("/ws/", **options)
            self.assertEqual(ws.send(WHOAMI).json(), {"user": "apprentice bob@example.com"})

    def test_a_member_has_sessions_to_send_to(self) -> None:
        member = Member.objects.create(email="alice@example.com")
        ws = self.websocket("/ws/", user=member)
        report = member.websocket_sessions.send_message({"text": "hello"})
        self.assertEqual((report.sent, ws.received), (1, [{"text": "hello"}]))

    def test_a_command_sends_to_a_member_by_the_name_of_the_login(self) -> None:
        member = Member.objects.create(email="alice@example.com")
        ws = self.websocket("/ws/", user=member)
        call_command("sendWebSocketMessage", '"hello"', user="alice@example.com", verbosity=0)
        self.assertEqual(ws.received, ["hello"])

    def test_the_sessions_of_a_member_end_with_the_member(self) -> None:
        member = Member.objects.create(email="alice@example.com")
        ws = self.websocket("/ws/", user=member)
        member.delete()
        self.assertFalse(WebSocketSession.objects.exists())
        self.assertEqual(ws.send({"action": "whoami"}).status_code, 400)

    def test_a_connection_ends_with_the_password_of_its_member(self) -> None:
        member = Member.objects.create(email="alice@example.com")
        ws = self.websocket("/ws/", user=member)
        Member.objects.update(password="changed by no save()")
        with self.captureOnCommitCallbacks(execute=True):
            self.assertEqual(ws.send(WHOAMI).content, b"Log in again")
        self.assertTrue(ws.is_closed)

    def test_a_new_password_closes_the_connections_of_its_member_alone(self) -> None:
        alice = Member.objects.create(email="alice@example.com")
        bob = Member.objects.create(email="bob@example.com")
        hers, his = self.websocket("/ws/", user=alice), self.websocket("/ws/", user=bob)
        with self.captureOnCommitCallbacks(execute=True):
            alice.set_password("new")
            alice.save()
        self.assertEqual(self.outbox.closed, [hers.connection_id])
        self.assertEqual(his.send(WHOAMI).json(), {"user": "bob@example.com"})

    def test_a_member_who_goes_closes_connections(self) -> None:
        member = Member.objects.create(email="alice@example.com")
        ws = self.websocket("/ws/", user=member)
        with self.captureOnCommitCallbacks(execute=True):
            Member.objects.filter(email="alice@example.com").delete()
        self.assertEqual(self.outbox.closed, [ws.connection_id])

    def test_saving_a_proxy_or_a_child_is_saving_the_member(self) -> None:
        alice = Apprentice.objects.create(email="alice@example.com")
        for model in (Honorary, Apprentice):
            ws = self.websocket("/ws/", user=Member.objects.get())
            with self.captureOnCommitCallbacks(execute=True):
                member = model.objects.get(pk=alice.pk)
                member.set_password("new")
                member.save()
            self.assertTrue(ws.is_closed)

    def test_deleting_a_proxy_or_a_child_is_deleting_the_member(self) -> None:
        for model in (Honorary, Apprentice):
            Apprentice.objects.create(email="alice@example.com")
            ws = self.websocket("/ws/", user=Member.objects.get())
            with self.captureOnCommitCallbacks(execute=True):
                model.objects.all().delete()
            self.assertEqual(self.outbox.closed[-1:], [ws.connection_id])

    @override_settings(ROOT_URLCONF=(*urlpatterns, path("ticket/", WebSocketTokenView.as_view())))
    def test_a_ticket_carries_the_login_of_a_member_until_it_ends(self) -> None:
        member = Member.objects.create(email="alice@example.com")
        browser = Client()
        browser.force_login(member)
        one, two = (browser.post("/ticket/").json()["ws_token"] for _ in range(2))
        ws = self.websocket("/ws/", ticket=one)
        self.assertEqual(ws.send(WHOAMI).json(), {"user": "alice@example.com"})
        with self.captureOnCommitCallbacks(execute=True):
            browser.logout()
        self.assertTrue(ws.is_closed)
        self.assertEqual(WebSocketClient("/ws/", ticket=two).connect().status_code, 403)
