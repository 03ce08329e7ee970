"""The chat; and each view of chat.hooks at /<its name in lower case>/<route>."""

from __future__ import annotations

from chat import handlers, hooks, views
from django.contrib import admin
from django.urls import path

VIEWS = [view for name, view in vars(hooks).items() if name.endswith("View")]

urlpatterns = [
    path("admin/", admin.site.urls),
    path("ws/<slug:route>", views.ChatView.as_view(), name="ws"),
    path("handlers/<slug:route>", handlers.HandlersView.as_view()),
    path("debugged/<slug:route>", hooks.DebugLogView.as_view(debug=True)),
    *[path(f"{view.__name__.lower()}/<slug:route>", view.as_view()) for view in VIEWS],
]
