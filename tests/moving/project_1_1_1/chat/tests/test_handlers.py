"""Handlers of every shape: which of them a client's action calls."""

from __future__ import annotations

from chat.tests import differs
from chat.tests.gateway import GatewayTestCase, Socket
from django_aws_api_gateway_websockets.models import WebSocketSession


class HandlerTests(GatewayTestCase):
    def setUp(self):
        super().setUp()
        self.socket = Socket("handlers")
        self.socket.connect()

    def assertCalls(self, action, shape):  # noqa: N802 - as TestCase's own are
        answer = self.socket.send(action)
        self.assertEqual(answer.status_code, 200, answer.content)
        self.assertEqual(answer.json(), {"shape": shape})

    def test_a_plain_method_is_called(self):
        self.assertCalls("plain", "plain")

    def test_a_second_name_of_a_method_is_called(self):
        self.assertCalls("same", "plain")

    def test_an_inherited_method_is_called(self):
        self.assertCalls("inherited", "inherited")

    def test_an_overridden_method_calls_its_parent(self):
        self.assertCalls("overridden", "of the parent")

    def test_a_method_of_a_mixin_is_called(self):
        self.assertCalls("mixed_in", "mixed in")

    def test_a_method_that_a_function_decorates_is_called(self):
        self.assertCalls("wrapped", "wrapped")

    def test_a_method_that_method_decorator_decorates_is_called(self):
        self.assertCalls("method_decorated", "method_decorator")

    def test_a_method_that_a_class_decorates_is_called(self):
        self.assertCalls("logged", "decorated by a class")

    def test_a_method_under_lru_cache_is_called(self):
        self.assertCalls("cached", "lru_cache")

    def test_a_singledispatchmethod_is_called(self):
        self.assertCalls("dispatched", "singledispatchmethod")

    def test_a_partialmethod_is_called(self):
        self.assertCalls("said", "partialmethod")

    def test_a_callable_object_is_called(self):
        self.assertCalls("ping", "object")

    def test_a_partial_object(self):
        self.assertCalls("pong", differs("partial", "default"))

    def test_a_lambda_in_the_class_is_called(self):
        self.assertCalls("short", "lambda")

    def test_a_function_that_is_set_on_the_class_later_is_called(self):
        self.assertCalls("later", "set later")

    def test_an_object_that_is_set_on_the_class_later_is_called(self):
        self.assertCalls("later_object", "object")

    def test_a_method_that_is_borrowed_later_is_called(self):
        self.assertCalls("later_borrowed", "mixed in")

    def test_handlers_that_are_named_like_http_methods_are_called(self):
        for name in ("post", "get", "delete"):
            with self.subTest(name):
                self.assertCalls(name, name)

    def test_a_handler_that_returns_nothing_answers_an_empty_object(self):
        answer = self.socket.send("nothing")
        self.assertEqual((answer.status_code, answer.json()), (200, {}))

    def test_a_static_method(self):
        self.assertCalls("static", differs("static", "default"))

    def test_a_class_method(self):
        self.assertCalls("of_the_class", differs("class", "default"))

    def test_a_property(self):
        self.assertCalls("secret", differs("property", "default"))

    def test_a_private_method(self):
        self.assertCalls("_say", differs("private", "default"))

    def test_a_method_of_the_view_that_the_project_overrides(self):
        self.assertCalls("invalid_useragent", differs("a refusal of the view", "default"))

    def test_the_methods_and_values_of_the_view(self):
        for name in ("setup", "missing_headers", "http_method_not_allowed", "__init__", "debug"):
            with self.subTest(name):
                answer = self.socket.send(name)
                default = answer.status_code == 200 and answer.json() == {"shape": "default"}
                self.assertEqual(default, differs(False, True))

    def test_a_client_cannot_disconnect_by_an_action(self):
        self.socket.send("disconnect")
        self.assertEqual(self.socket.send("plain").status_code, 200)
        self.assertEqual(WebSocketSession.objects.get().connected, differs(False, True))

    def test_a_value_of_the_class(self):
        for name in ("unit", "limit"):
            with self.subTest(name):
                self.assertEqual(self.socket.send(name).status_code, differs(500, 200))

    def test_a_coroutine(self):
        self.assertEqual(self.socket.send("coroutine").status_code, differs(500, 200))

    def test_a_dict_that_is_returned(self):
        answer = self.socket.send("to_dict")
        self.assertEqual(answer.status_code, differs(500, 200))
