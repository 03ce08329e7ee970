"""The URL field that takes the hosts of a private network."""

from __future__ import annotations

import re

import pytest
from django import forms
from django.db import models
from django.forms import modelform_factory

from django_aws_api_gateway_websockets.models import ApiGateway, WebSocketSession
from django_aws_api_gateway_websockets.models.fields import EndpointField
from tests.factories import make_gateway, make_session

GOOD = [
    "https://www.example.com/ws/",
    "http://web:8000/ws/",
    "http://localhost/ws/",
    "http://10.0.0.1:8000/ws/",
    "http://[::1]:8000/ws/",
    "HTTPS://WWW.EXAMPLE.COM/ws/",
]

BAD = [
    "www.example.com/ws/",
    "/ws/",
    "https:///ws/",
    "ftp://example.com/ws/",
    "wss://example.com/ws/",
    "javascript:alert(1)",
    "http://example.com:port/ws/",
    "http://example.com:99999/ws/",
    "http://[::1/ws/",
    "http://example.com/a b/",
    "http://example.com/ws/\nX-Header: 1",
]


def submitted(url):
    """A form of the gateway's base endpoint, submitted with this URL."""
    form = modelform_factory(ApiGateway, fields=["target_base_endpoint"])
    return form({"target_base_endpoint": url})


@pytest.mark.parametrize("url", GOOD)
def test_an_absolute_http_url_is_valid(url):
    form = submitted(url)
    assert form.is_valid(), form.errors
    assert form.cleaned_data["target_base_endpoint"] == url


@pytest.mark.parametrize("url", BAD)
def test_another_url_is_not_valid(url):
    (text,) = submitted(url).errors["target_base_endpoint"]
    assert re.match(r"Enter a(n absolute| valid) URL", text)


def test_a_url_longer_than_its_column_is_not_valid():
    (text,) = submitted("https://example.com/" + "x" * 200).errors["target_base_endpoint"]
    assert "at most 200 characters" in text


def test_the_form_field_is_a_url_input():
    field = EndpointField().formfield()
    assert isinstance(field.widget, forms.URLInput)


def test_a_form_turns_an_empty_url_of_a_nullable_column_into_null():
    form = submitted("")
    assert form.is_valid()
    assert form.cleaned_data["target_base_endpoint"] is None


def test_migrations_see_a_plain_url_field():
    _, path, args, kwargs = EndpointField(null=True).deconstruct()
    assert (path, args, kwargs) == ("django.db.models.URLField", [], {"null": True})
    assert isinstance(EndpointField(), models.URLField)


@pytest.mark.django_db
def test_a_gateways_base_endpoint_may_be_a_single_label_host():
    gateway = make_gateway(target_base_endpoint="http://web:8000/ws/")
    gateway.full_clean()
    assert gateway.target_base_endpoint == "http://web:8000/ws/"


@pytest.mark.django_db
@pytest.mark.parametrize("lookup", ["iexact", "icontains", "istartswith", "iendswith"])
def test_names_of_channels_are_found_whatever_their_letter_case_if_one_asks_so(lookup):
    make_session(channel_name="Garden")
    found = WebSocketSession.objects.filter
    assert found(**{f"channel_name__{lookup}": "GARDEN"}).count() == 1
    assert found(channel_name="GARDEN").count() == 0
