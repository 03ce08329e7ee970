"""As makemigrations wrote it under 4.1.0."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("django_aws_api_gateway_websockets", "0015_alter_apigateway_provisioning_status"),
    ]

    operations = [
        migrations.CreateModel(
            name="Desk",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=63)),
                (
                    "gateway",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        to="django_aws_api_gateway_websockets.apigateway",
                    ),
                ),
                (
                    "readers",
                    models.ManyToManyField(
                        to="django_aws_api_gateway_websockets.websocketsession"
                    ),
                ),
            ],
        ),
    ]
