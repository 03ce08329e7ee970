"""Models as a project of 1.1.1 has them: keys to each of the three, and a proxy."""

from django.db import models

from django_aws_api_gateway_websockets.models import WebSocketSession

APP = "django_aws_api_gateway_websockets"


class Room(models.Model):
    gateway = models.ForeignKey(f"{APP}.ApiGateway", on_delete=models.CASCADE)
    route = models.ForeignKey(
        f"{APP}.ApiGatewayAdditionalRoute", on_delete=models.SET_NULL, null=True
    )
    sessions = models.ManyToManyField(f"{APP}.WebSocketSession")

    def __str__(self):
        return str(self.pk)


class Visitor(WebSocketSession):
    class Meta:
        proxy = True
