from django.urls import path
from news.views import NewsView

urlpatterns = [path("ws/<slug:route>", NewsView.as_view())]
