"""The columns of attempts.py, all nullable, so that 1.1.1 still runs on this database."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("django_aws_api_gateway_websockets", "0001_initial")]

    operations = [
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
    ]
