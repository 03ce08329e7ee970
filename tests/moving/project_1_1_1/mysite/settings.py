"""Settings of the chat, as its author wrote them for 1.1.1."""

from __future__ import annotations

import os
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent

SECRET_KEY = "only-for-tests"
ALLOWED_HOSTS = ["www.example.com", "shop.example.com", "testserver"]
ROOT_URLCONF = "mysite.urls"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
STATIC_URL = "/static/"
USE_TZ = True
TIME_ZONE = "UTC"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

_ENGINES = {
    "sqlite": ("sqlite3", "", "", {}),
    "postgresql": ("postgresql", "5432", "postgres", {}),
    "mariadb": ("mysql", "3306", "root", {"charset": "utf8mb4"}),
}
_engine, _port, _user, _options = _ENGINES[os.environ.get("TEST_DATABASE", "sqlite")]
DATABASES = {
    "default": {
        "ENGINE": f"django.db.backends.{_engine}",
        "NAME": os.environ.get("TRIAL_DATABASE", str(BASE_DIR / "chat.sqlite3")),
        "HOST": os.environ.get("TEST_DATABASE_HOST", "127.0.0.1"),
        "PORT": os.environ.get("TEST_DATABASE_PORT", _port),
        "USER": os.environ.get("TEST_DATABASE_USER", _user),
        "PASSWORD": os.environ.get("TEST_DATABASE_PASSWORD", ""),
        "OPTIONS": _options,
        "TEST": {"MIGRATE": True},
    }
}

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django_aws_api_gateway_websockets",
    "chat",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

AWS_REGION_NAME = "eu-west-1"
AWS_ACCESS_KEY_ID = "only-for-tests"
AWS_SECRET_ACCESS_KEY = "only-for-tests"
