"""Views of the pages. They know sockets only by one mixin, which gives a page the URL."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth import logout
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.mixins import UserPassesTestMixin
from django.contrib.auth.views import LoginView
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.generic import FormView, TemplateView

from django_aws_api_gateway_websockets.mixins import WebSocketContextMixin

from .models import ROOMS
from .prepare import PASSWORD, USERS


def name_of(request: HttpRequest) -> str:
    """Return the user's name, or the name that a guest has chosen, or an empty string."""
    if request.user.is_authenticated:
        return request.user.get_username()
    return request.session.get("guest_name", "")


class RoomView(UserPassesTestMixin, WebSocketContextMixin, TemplateView):
    template_name = "chat/room.html"

    def test_func(self) -> bool:
        return bool(name_of(self.request))

    def get_websocket_channel(self) -> str:
        room = self.kwargs["room"]
        if room not in ROOMS:
            raise Http404(room)
        return room

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(name=name_of(self.request), rooms=ROOMS, **kwargs)


class GuestForm(forms.Form):
    name = forms.CharField(max_length=20, label="Your name")


class MemberView(LoginView):
    """The login page: the form for users, beside the form for guests."""

    template_name = "chat/login.html"
    redirect_authenticated_user = True
    extra_context = {"guest_form": GuestForm(), "users": USERS, "password": PASSWORD}


class GuestView(FormView):
    """The same page, after a guest has submitted a name."""

    form_class = GuestForm
    template_name = "chat/login.html"

    def form_valid(self, form: GuestForm) -> HttpResponse:
        logout(self.request)
        # A user's name cannot have spaces or brackets.
        self.request.session["guest_name"] = f"{form.cleaned_data['name']} (guest)"
        return redirect("home")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        both = {"guest_form": context["form"], "form": AuthenticationForm()}
        return {**context, **MemberView.extra_context, **both}
