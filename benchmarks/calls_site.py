"""The site of benchmarks.calls: one view, whose handlers answer in two ways."""

from __future__ import annotations

from typing import Any

from django.urls import path

from django_aws_api_gateway_websockets.views import WebSocketView


class AnsweringView(WebSocketView):
    def echo(self, request: Any, *args: Any, **kwargs: Any) -> None:
        self.websocket_session.send_message({"text": self.body["text"]})

    def answer(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        return {"text": self.body["text"]}


urlpatterns = [path("ws/<slug:route>", AnsweringView.as_view())]
