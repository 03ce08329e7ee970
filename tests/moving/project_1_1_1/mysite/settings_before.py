"""The site before it had the chat: for a database that holds Django's own tables alone."""

from __future__ import annotations

from mysite.settings import *  # noqa: F403
from mysite.settings import INSTALLED_APPS as ALL_APPS

INSTALLED_APPS = [app for app in ALL_APPS if app.startswith("django.")]
ROOT_URLCONF = "mysite.urls_before"
