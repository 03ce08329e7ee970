from __future__ import annotations

from django.db import migrations


def make_lobbies(apps, schema_editor):
    gateways = apps.get_model("django_aws_api_gateway_websockets", "ApiGateway")
    sessions = apps.get_model("django_aws_api_gateway_websockets", "WebSocketSession")
    rooms = apps.get_model("chat", "Room")
    for gateway in gateways.objects.order_by("pk"):
        room = rooms.objects.create(name=f"{gateway.api_name} lobby", gateway=gateway)
        connected = sessions.objects.filter(api_gateway=gateway, connected=True)
        room.listeners.set(connected)


def delete_lobbies(apps, schema_editor):
    apps.get_model("chat", "Room").objects.filter(name__endswith=" lobby").delete()


class Migration(migrations.Migration):
    dependencies = [("chat", "0001_initial")]

    operations = [migrations.RunPython(make_lobbies, delete_lobbies, elidable=True)]
