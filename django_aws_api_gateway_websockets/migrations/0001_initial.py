"""The whole schema of django-aws-api-gateway-websockets 1.1.1 in one step.

A database that 1.1.1 made has these tables, and a migration of this name recorded.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ApiGateway",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("api_name", models.CharField(max_length=255, unique=True)),
                ("api_description", models.CharField(blank=True, default="", max_length=255)),
                (
                    "default_channel_name",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="For clients that ask for no channel.",
                        max_length=128,
                    ),
                ),
                (
                    "domain_name",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="The custom domain: ws.example.com",
                        max_length=255,
                    ),
                ),
                (
                    "target_base_endpoint",
                    models.URLField(
                        blank=True,
                        default=None,
                        help_text="Where the events are posted to, without the route: https://www.example.com/ws/",
                        null=True,
                    ),
                ),
                (
                    "certificate_arn",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="The custom domain's certificate in ACM.",
                        max_length=255,
                    ),
                ),
                (
                    "hosted_zone_id",
                    models.CharField(
                        blank=True,
                        default="",
                        max_length=32,
                        help_text="For your notes: AWS chooses the zone.",
                    ),
                ),
                (
                    "api_key_selection_expression",
                    models.CharField(default="$request.header.x-api-key", max_length=255),
                ),
                (
                    "route_selection_expression",
                    models.CharField(default="$request.body.action", max_length=255),
                ),
                (
                    "route_key",
                    models.CharField(
                        default="$default",
                        help_text="The route of messages that no other takes.",
                        max_length=255,
                    ),
                ),
                ("stage_name", models.CharField(blank=True, default="production", max_length=63)),
                ("stage_description", models.CharField(blank=True, default="", max_length=63)),
                (
                    "deployment_id",
                    models.CharField(blank=True, default="", editable=False, max_length=32),
                ),
                (
                    "tags",
                    models.JSONField(
                        blank=True,
                        default=dict,
                        help_text='The API\'s tags in AWS: {"team": "web"}',
                    ),
                ),
                (
                    "api_id",
                    models.CharField(
                        blank=True, default="", max_length=32, help_text="What AWS calls the API."
                    ),
                ),
                (
                    "api_endpoint",
                    models.CharField(
                        blank=True,
                        default="",
                        max_length=255,
                        help_text="Where AWS takes the sockets.",
                    ),
                ),
                (
                    "api_gateway_domain_name",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="What the custom domain's DNS record must point to.",
                        max_length=255,
                    ),
                ),
                (
                    "api_mapping_id",
                    models.CharField(
                        blank=True,
                        default="",
                        max_length=128,
                        help_text="What AWS calls the mapping from the custom domain to the API.",
                    ),
                ),
                ("api_created", models.BooleanField(default=False, editable=False)),
                ("custom_domain_created", models.BooleanField(default=False, editable=False)),
                ("created_on", models.DateTimeField(auto_now_add=True)),
                ("updated_on", models.DateTimeField(auto_now=True)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["api_id"], name="django_aws__api_id_0da7ec_idx"),
                    models.Index(fields=["domain_name"], name="django_aws__domain__3b4423_idx"),
                    models.Index(
                        fields=["custom_domain_created"], name="django_aws__custom__5e8390_idx"
                    ),
                    models.Index(fields=["api_created"], name="django_aws__api_cre_376add_idx"),
                    models.Index(fields=["created_on"], name="django_aws__created_32cf2a_idx"),
                ],
            },
        ),
        migrations.CreateModel(
            name="ApiGatewayAdditionalRoute",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "name",
                    models.CharField(max_length=63, help_text="For people: AWS does not see it."),
                ),
                (
                    "route_key",
                    models.CharField(
                        db_index=True, help_text="The action that this route takes.", max_length=64
                    ),
                ),
                (
                    "integration_url",
                    models.URLField(help_text="The full URL: https://www.example.com/ws/chat"),
                ),
                ("deployed", models.BooleanField(default=False, editable=False)),
                ("created_on", models.DateTimeField(auto_now_add=True)),
                ("updated_on", models.DateTimeField(auto_now=True)),
                (
                    "api_gateway",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="additional_routes",
                        to="django_aws_api_gateway_websockets.apigateway",
                    ),
                ),
            ],
            options={
                "unique_together": {("api_gateway", "route_key")},
            },
        ),
        migrations.CreateModel(
            name="WebSocketSession",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("connection_id", models.CharField(max_length=255, unique=True)),
                (
                    "channel_name",
                    models.CharField(
                        blank=True,
                        default="",
                        max_length=128,
                        help_text="Like a room: messages go to a channel.",
                    ),
                ),
                (
                    "connected",
                    models.BooleanField(
                        default=True,
                        help_text="Off once the site knows that the connection has ended.",
                    ),
                ),
                ("request_count", models.PositiveBigIntegerField(default=1)),
                ("created_on", models.DateTimeField(auto_now_add=True)),
                ("updated_on", models.DateTimeField(auto_now=True)),
                (
                    "api_gateway",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="sessions",
                        to="django_aws_api_gateway_websockets.apigateway",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="websocket_sessions",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["connection_id", "connected"],
                        name="django_aws__connect_fee1eb_idx",
                    ),
                    models.Index(
                        fields=["channel_name", "connection_id"],
                        name="django_aws__channel_dd10fa_idx",
                    ),
                    models.Index(
                        fields=["channel_name", "connected"], name="django_aws__channel_1de026_idx"
                    ),
                ],
            },
        ),
    ]
