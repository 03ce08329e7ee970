from __future__ import annotations

import uuid

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models


class Member(AbstractBaseUser):
    """As unlike Django's own user as may be: no number, no name, no permissions."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    email = models.EmailField(unique=True)

    objects = BaseUserManager()

    USERNAME_FIELD = "email"

    def __str__(self) -> str:
        return self.email


class Honorary(Member):
    class Meta:
        proxy = True


class Apprentice(Member):
    """With a table of its own."""

    master = models.CharField(max_length=150, blank=True)
