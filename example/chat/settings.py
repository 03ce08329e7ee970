"""Settings of the demo, for one machine. They are not those of a real site."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Dict

import django

BASE_DIR = Path(__file__).resolve().parent.parent

# The package needs two things besides an ordinary project: its name in INSTALLED_APPS, and this
# setting, which run.py gives, so that boto3 calls the local gateway instead of AWS.
AWS_GATEWAY_ENDPOINT_URL = os.environ.get("AWS_GATEWAY_ENDPOINT_URL", "http://127.0.0.1:9001")

INSTALLED_APPS = [
    "chat",
    "django_aws_api_gateway_websockets",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
]

DEBUG = True
SECRET_KEY = "only-for-the-demo"  # noqa: S105
ROOT_URLCONF = "chat.urls"
STATIC_URL = "static/"
USE_TZ = True
TIME_ZONE = "UTC"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"

# Cookies do not depend on the port, so other projects on this host must have other names.
SESSION_COOKIE_NAME = "demo_session"
CSRF_COOKIE_NAME = "demo_csrf"

# Many sockets open at the same time and each writes a row, so writers wait for each other. A
# transaction that reads first and writes later cannot wait in SQLite, so each one locks at its
# start. (prepare.py turns on the write-ahead log, which the database file keeps.)
OPTIONS: Dict[str, Any] = {"timeout": 25}
if django.VERSION >= (5, 1):
    OPTIONS["transaction_mode"] = "IMMEDIATE"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": BASE_DIR / "db.sqlite3",
        "OPTIONS": OPTIONS,
    }
}

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
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

# One line for each connection, message, refusal and push of the local gateway.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "{asctime} {levelname} {message}", "style": "{", "datefmt": "%H:%M:%S"}
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "loggers": {
        "django_aws_api_gateway_websockets": {"handlers": ["console"], "level": "INFO"},
    },
}
