from tests.settings import *  # noqa: F403
from tests.settings import INSTALLED_APPS as ALL_APPS

INSTALLED_APPS = [
    "tests.custom_user",
    *(app for app in ALL_APPS if app != "django.contrib.admin"),
]
AUTH_USER_MODEL = "custom_user.Member"
ROOT_URLCONF = "tests.custom_user.urls"
# The suite's own run may hold the test database of a server.
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
