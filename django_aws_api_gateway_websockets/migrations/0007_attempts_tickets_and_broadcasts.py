"""Attempts, throttles, proofs, logins, tickets, broadcasts: all that 1.1.1 has not.

The new columns are nullable, so that 1.1.1 still runs on this database.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from ..adoption.requirements import RequireAdoption, RequireCompleteSchema


class Migration(migrations.Migration):
    dependencies = [
        ("django_aws_api_gateway_websockets", "0006_auto_20221215_0847"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        RequireCompleteSchema(),
        RequireAdoption(),
        migrations.AddField(
            "apigateway",
            "creation_token",
            models.CharField(editable=False, max_length=32, null=True),
        ),
        migrations.AddField(
            "apigateway",
            "provisioning_since",
            models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            "apigateway",
            "last_error",
            models.TextField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="apigateway",
            name="source_proof",
            field=models.CharField(editable=False, max_length=64, null=True),
        ),
        migrations.AddField(
            model_name="apigateway",
            name="throttling_burst_limit",
            field=models.PositiveIntegerField(
                blank=True,
                help_text="Events that AWS lets through at once on each route; above 0.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="apigateway",
            name="throttling_rate_limit",
            field=models.FloatField(
                blank=True,
                help_text="Events a second that AWS lets through on each route; above 0.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="websocketsession",
            name="auth_hash",
            field=models.CharField(editable=False, max_length=64, null=True),
        ),
        migrations.AddField(
            model_name="websocketsession",
            name="login",
            field=models.CharField(db_index=True, editable=False, max_length=64, null=True),
        ),
        migrations.CreateModel(
            name="WebSocketTicket",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("digest", models.CharField(max_length=64, unique=True)),
                ("auth_hash", models.CharField(max_length=64, null=True)),
                ("login", models.CharField(db_index=True, max_length=64, null=True)),
                ("connection_id", models.CharField(max_length=255, null=True)),
                ("expires_on", models.DateTimeField(db_index=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="websocket_tickets",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "WebSocket ticket",
            },
        ),
        migrations.CreateModel(
            name="Broadcast",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("message", models.TextField()),
                ("size", models.PositiveIntegerField()),
                ("at_most_once", models.BooleanField(default=False)),
                ("created_on", models.DateTimeField(auto_now_add=True, db_index=True)),
            ],
            options={
                "verbose_name": "broadcast",
            },
        ),
        migrations.CreateModel(
            name="BroadcastChunk",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("recipients", models.JSONField()),
                ("reached", models.PositiveIntegerField(default=0)),
                ("sent", models.PositiveIntegerField(default=0)),
                ("gone", models.PositiveIntegerField(default=0)),
                ("failed", models.PositiveIntegerField(default=0)),
                ("reasons", models.JSONField(default=dict)),
                ("finished_on", models.DateTimeField(null=True)),
                ("claimed_by", models.CharField(max_length=32, null=True)),
                ("claimed_until", models.DateTimeField(null=True)),
                (
                    "broadcast",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="chunks",
                        to="django_aws_api_gateway_websockets.broadcast",
                    ),
                ),
            ],
            options={
                "verbose_name": "chunk of a broadcast",
            },
        ),
    ]
