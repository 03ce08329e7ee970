from django.contrib import admin
from django.urls import path

from tests.chat import ChatView

urlpatterns = [
    path("admin/", admin.site.urls),
    path("ws/<slug:route>", ChatView.as_view(), name="ws"),
]
