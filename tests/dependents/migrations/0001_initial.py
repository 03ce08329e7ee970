"""As makemigrations of Django 4.2 wrote it under 1.1.1."""

import django.db.models.deletion
from django.db import migrations, models

APP = "django_aws_api_gateway_websockets"


class Migration(migrations.Migration):
    initial = True

    dependencies = [(APP, "0006_auto_20221215_0847")]

    operations = [
        migrations.CreateModel(
            name="Visitor",
            fields=[],
            options={"proxy": True, "indexes": [], "constraints": []},
            bases=(f"{APP}.websocketsession",),
        ),
        migrations.CreateModel(
            name="Room",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "gateway",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, to=f"{APP}.apigateway"
                    ),
                ),
                ("sessions", models.ManyToManyField(to=f"{APP}.websocketsession")),
            ],
        ),
    ]
