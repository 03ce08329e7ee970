"""Fields of the models: URLs of a private network, switches of a later release, exact texts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.lookups import IContains, IEndsWith, IExact, IStartsWith

from ..security.integrations import integration_refusal

if TYPE_CHECKING:
    TextField = models.CharField[str, str]
    Switch = models.BooleanField[bool, bool]
else:
    TextField = models.CharField
    Switch = models.BooleanField


def validate_endpoint(value: str) -> None:
    """Raise ValidationError unless it is an absolute http or https URL.

    Unlike Django's validator it accepts hosts of a single label: http://web:8000/ws/
    """
    try:
        url = urlsplit(value)
        url.port  # noqa: B018 - raises ValueError for an invalid port
    except ValueError as error:
        raise ValidationError("Enter a valid URL.") from error
    if url.scheme not in ("http", "https") or not url.hostname or re.search(r"\s", value):
        raise ValidationError("Enter an absolute URL: https://www.example.com/ws/")


def validate_integration_host(value: str) -> None:
    """Raise ValidationError for a host that WEBSOCKETS["allowed_integration_hosts"] lacks."""
    refusal = integration_refusal(value)
    if refusal:
        raise ValidationError(refusal)


class EndpointField(models.URLField):  # type: ignore[type-arg]
    """A URLField whose host needs no top-level domain. Migrations see a plain URLField."""

    default_validators = [validate_endpoint, validate_integration_host]

    def formfield(self, **kwargs: Any) -> Any:
        return models.CharField.formfield(
            self, **{"form_class": forms.CharField, "widget": forms.URLInput, **kwargs}
        )

    def deconstruct(self) -> Any:
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.URLField", args, kwargs


class SwitchField(Switch):
    """A BooleanField whose column may be empty, which means off.

    A release that does not know the column inserts rows without it.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "null": True, "blank": True, "default": False})

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        given = {key: kwargs[key] for key in kwargs if key not in ("null", "blank", "default")}
        return name, path, args, given

    def from_db_value(self, value: Any, *args: Any) -> bool:
        return bool(value)

    def formfield(self, **kwargs: Any) -> Any:
        # Not Django's choice for a nullable column, which has a third answer.
        return super().formfield(**{"form_class": forms.BooleanField, "required": False, **kwargs})


class ExactCharField(TextField):
    """A CharField that compares every character, in each database.

    MySQL and MariaDB take "STAFF", "stáff" and "staff " for "staff", unless the column says
    otherwise. A name that a view has allowed would find what another name has.
    """

    def db_parameters(self, connection: Any) -> Any:
        parameters = super().db_parameters(connection)
        if connection.vendor == "mysql":
            # Both are binary, and do not ignore blanks at the end as utf8mb4_bin does.
            is_mariadb = connection.mysql_is_mariadb
            parameters["collation"] = "utf8mb4_nopad_bin" if is_mariadb else "utf8mb4_0900_bin"
        return parameters


class IgnoringCase:
    """A lookup that ignores letter case, though the column does not.

    MySQL and MariaDB leave that to the collation.
    """

    def process_lhs(self, compiler: Any, connection: Any, lhs: Any = None) -> Any:
        lookup: Any = super()
        sql, params = lookup.process_lhs(compiler, connection, lhs)
        if connection.vendor == "mysql":
            sql = f"{sql} COLLATE utf8mb4_general_ci"
        return sql, params


for lookup in (IExact, IContains, IStartsWith, IEndsWith):
    ExactCharField.register_lookup(type(lookup.__name__, (IgnoringCase, lookup), {}))
