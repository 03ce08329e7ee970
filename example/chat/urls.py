"""URLs of the pages, and the one pattern that API Gateway posts to."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.views import LogoutView
from django.urls import path
from django.views.generic import RedirectView

from django_aws_api_gateway_websockets.views import WebSocketTokenView

from .models import ROOMS
from .sockets import ChatView
from .views import GuestView, MemberView, RoomView

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="room"), {"room": ROOMS[0]}, name="home"),
    path("room/<str:room>/", RoomView.as_view(), name="room"),
    path("login/", MemberView.as_view(), name="login"),
    path("guest/", GuestView.as_view(), name="guest"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("ticket/", WebSocketTokenView.as_view(), name="ticket"),
    path("admin/", admin.site.urls),
    path("ws/<slug:route>", ChatView.as_view(), name="ws"),
]
