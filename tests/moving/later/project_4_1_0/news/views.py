from django_aws_api_gateway_websockets.views import WebSocketView
from news.models import Desk


class NewsView(WebSocketView):
    """Sends what a reader says to all readers of the desk."""

    def default(self, request, *args, **kwargs):
        desk = Desk.objects.get(gateway=self.api_gateway)
        desk.readers.add(self.websocket_session)
        desk.readers.all().send_message({"desk": desk.name})
