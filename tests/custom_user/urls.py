from django.urls import path

from tests.chat import ChatView

urlpatterns = [path("ws/<slug:route>", ChatView.as_view())]
