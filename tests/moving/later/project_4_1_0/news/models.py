from django.db import models

from django_aws_api_gateway_websockets.models import ApiGateway, WebSocketSession


class Desk(models.Model):
    """A desk of the newsroom, which sends through a gateway."""

    name = models.CharField(max_length=63)
    gateway = models.ForeignKey(ApiGateway, on_delete=models.CASCADE)
    readers = models.ManyToManyField(WebSocketSession)

    def __str__(self):
        return self.name
