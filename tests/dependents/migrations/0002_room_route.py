"""One that was written while the third migration of 1.1.1 was its last; and reads its rows."""

import django.db.models.deletion
from django.db import migrations, models

from tests.dependents.reading import read

APP = "django_aws_api_gateway_websockets"


class Migration(migrations.Migration):
    dependencies = [
        ("dependents", "0001_initial"),
        (APP, "0002_rename_author_websocketsession_user"),
        (APP, "0003_auto_20220706_1018"),
        (APP, "0004_auto_20221208_1227"),
        (APP, "0005_apigatewayadditionalroute_deployed"),
    ]

    operations = [
        migrations.RunPython(read, migrations.RunPython.noop),
        migrations.AddField(
            "room",
            "route",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                to=f"{APP}.apigatewayadditionalroute",
            ),
        ),
    ]
