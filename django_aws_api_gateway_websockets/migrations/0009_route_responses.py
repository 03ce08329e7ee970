"""Whether AWS sends handlers' answers to their clients.

The new column is nullable, so that earlier releases still run on this database.
"""

from django.db import migrations

from ..models.fields import SwitchField


class Migration(migrations.Migration):
    dependencies = [
        ("django_aws_api_gateway_websockets", "0008_exact_names_and_data"),
    ]

    operations = [
        migrations.AddField(
            "apigateway",
            "route_responses",
            SwitchField(
                help_text="AWS sends handlers' answers to their clients, which saves a call for "
                "each. An upgrade of the gateway brings it to AWS."
            ),
        ),
    ]
