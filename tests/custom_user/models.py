from __future__ import annotations

import uuid

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models


class MemberQuerySet(models.QuerySet):
    """Gives members as objects of their own class, as the querysets of django-polymorphic do."""

    def _fetch_all(self):
        super()._fetch_all()
        children = {child.pk: child for child in Apprentice.plain.filter(pk__in=self._keys())}
        self._result_cache = [children.get(self._key(row), row) for row in self._result_cache]

    def _keys(self):
        return [self._key(row) for row in self._result_cache]

    def _key(self, row):
        return getattr(row, "pk", None)


class Member(AbstractBaseUser):
    """As unlike Django's own user as may be: no number, no name, no permissions."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    email = models.EmailField(unique=True)

    objects = BaseUserManager.from_queryset(MemberQuerySet)()

    USERNAME_FIELD = "email"

    def __str__(self) -> str:
        return self.email


class Honorary(Member):
    class Meta:
        proxy = True


class Apprentice(Member):
    """With a table of its own."""

    master = models.CharField(max_length=150, blank=True)

    plain = models.Manager()

    def get_username(self) -> str:
        return f"apprentice {self.email}"
