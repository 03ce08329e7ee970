"""As makemigrations writes it under 4.1.0 for a key to one of its models."""

from django.db import migrations


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("django_aws_api_gateway_websockets", "0015_alter_apigateway_provisioning_status")
    ]

    operations = []
