"""Settings of the test suite. SQLite, unless TEST_DATABASE names another database.

TEST_DATABASE            sqlite (the default), postgresql or mariadb
TEST_DATABASE_HOST       127.0.0.1
TEST_DATABASE_PORT       5432 for PostgreSQL, 3306 for MariaDB
TEST_DATABASE_USER       postgres for PostgreSQL, root for MariaDB
TEST_DATABASE_PASSWORD   none
TEST_DATABASE_NAME       test; the suite makes and drops its own, called test_<name>
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Dict

BASE_DIR = Path(__file__).resolve().parent


def _server(engine: str, port: str, user: str, **options: Any) -> Dict[str, Any]:
    return {
        "ENGINE": f"django.db.backends.{engine}",
        "NAME": os.environ.get("TEST_DATABASE_NAME", "test"),
        "HOST": os.environ.get("TEST_DATABASE_HOST", "127.0.0.1"),
        "PORT": os.environ.get("TEST_DATABASE_PORT", port),
        "USER": os.environ.get("TEST_DATABASE_USER", user),
        "PASSWORD": os.environ.get("TEST_DATABASE_PASSWORD", ""),
        **options,
    }


_databases = {
    "sqlite": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"},
    "postgresql": _server("postgresql", "5432", "postgres"),
    "mariadb": _server(
        "mysql",
        "3306",
        "root",
        OPTIONS={"charset": "utf8mb4"},
        TEST={"CHARSET": "utf8mb4", "COLLATION": "utf8mb4_unicode_ci"},
    ),
}

DATABASES = {"default": _databases[os.environ.get("TEST_DATABASE", "sqlite")]}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

SECRET_KEY = "only-for-tests"
ALLOWED_HOSTS = ["testserver"]
USE_TZ = True
# Another zone would need MariaDB's table of time zones, which a new server has not loaded.
TIME_ZONE = "UTC"
# The suite makes many users; this hasher is for speed alone.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django_aws_api_gateway_websockets",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "tests.urls"
STATIC_URL = "/static/"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
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
