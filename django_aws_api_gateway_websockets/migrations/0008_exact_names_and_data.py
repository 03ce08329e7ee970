"""Exact names on MySQL and MariaDB, data of a login, when a connection had gone, address types.

The new columns are nullable, so that 1.1.1 still runs on this database.
"""

from typing import Any

from django.db import migrations, models

from ..models.fields import ExactCharField


class AlterFieldOfMySQL(migrations.AlterField):
    """An AlterField for MySQL and MariaDB. SQLite would make the whole table anew for nothing."""

    def database_forwards(self, app_label: str, schema_editor: Any, *states: Any) -> None:
        if schema_editor.connection.vendor == "mysql":
            super().database_forwards(app_label, schema_editor, *states)


class Migration(migrations.Migration):
    dependencies = [
        ("django_aws_api_gateway_websockets", "0007_attempts_tickets_and_broadcasts"),
    ]

    operations = [
        migrations.AddField(
            "apigateway",
            "ip_address_type",
            models.CharField(
                blank=True,
                choices=[("ipv4", "IPv4"), ("dualstack", "IPv4 and IPv6")],
                help_text="By which addresses clients may come. AWS takes IPv4 if it is empty.",
                max_length=9,
                null=True,
            ),
        ),
        migrations.AddField(
            "websocketsession",
            "data",
            models.JSONField(editable=False, null=True),
        ),
        migrations.AddField(
            "websocketsession",
            "gone_on",
            models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            "websocketsession",
            "backend",
            models.CharField(editable=False, max_length=255, null=True),
        ),
        migrations.AddField("websocketticket", "data", models.JSONField(null=True)),
        migrations.AddField(
            "websocketticket", "backend", models.CharField(max_length=255, null=True)
        ),
        AlterFieldOfMySQL(
            "websocketsession",
            "channel_name",
            ExactCharField(
                blank=True,
                default="",
                help_text="Like a room: messages go to a channel.",
                max_length=128,
            ),
        ),
        AlterFieldOfMySQL(
            "websocketsession",
            "connection_id",
            ExactCharField(max_length=255, unique=True),
        ),
    ]
