"""Reading of sessions by a data migration. Here, so that squashmigrations can import it."""

APP = "django_aws_api_gateway_websockets"


def read(apps, schema_editor):
    session = apps.get_model(APP, "WebSocketSession")
    list(session.objects.using(schema_editor.connection.alias).filter(user=None))
