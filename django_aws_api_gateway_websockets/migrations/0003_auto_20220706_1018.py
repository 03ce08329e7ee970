"""A migration of 1.1.1, for the projects whose own depend on it: 0001_initial does its work."""

from django.db import migrations

from ..adoption.requirements import RequireCompleteSchema


class Migration(migrations.Migration):
    dependencies = [
        ("django_aws_api_gateway_websockets", "0002_rename_author_websocketsession_user")
    ]

    operations = [RequireCompleteSchema()]
