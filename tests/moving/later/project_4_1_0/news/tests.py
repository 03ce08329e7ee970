from django.contrib.auth.models import User
from django.test import TestCase

from django_aws_api_gateway_websockets.models import ApiGateway
from django_aws_api_gateway_websockets.testing import WebSocketTestMixin
from news.models import Desk


class NewsTests(WebSocketTestMixin, TestCase):
    def setUp(self):
        super().setUp()
        self.gateway = ApiGateway.objects.create(
            api_name="News", api_id="news1", target_base_endpoint="https://www.example.com/ws/"
        )
        self.desk = Desk.objects.create(name="Sports", gateway=self.gateway)

    def test_a_reader_gets_what_the_desk_sends(self):
        socket = self.websocket("/ws/", gateway=self.gateway)
        socket.send({"action": "anything"})
        self.assertEqual(socket.received, [{"desk": "Sports"}])
        self.assertEqual(self.desk.readers.get(), socket.session)

    def test_a_reader_can_be_deleted(self):
        user = User.objects.create_user("reader")
        self.websocket("/ws/", gateway=self.gateway, user=user)
        user.delete()
        self.assertFalse(self.desk.readers.exists())
