"""Statements: SELECTs whose SQL is written once. Knows the ORM's compiler, and no model.

Django writes the SQL of a queryset anew each time that it is read.
"""

from __future__ import annotations

from typing import Any, Iterable, Mapping, Optional, Sequence

from django.db import connections
from django.db.models import QuerySet


class Statement:
    """The SELECT of a queryset's ``values_list()``, in the database of the queryset.

    The conditions have stand-ins for the values that differ from run to run. Not for querysets and
    managers of a site's own, which may add other conditions each time.
    """

    def __init__(self, values: QuerySet[Any, Any]) -> None:
        self.using = values.db
        self._query: Any = values.query
        compiler = self._query.get_compiler(self.using)
        self._sql, self._params = compiler.as_sql()
        columns = [column for column, *_ in compiler.select]
        converted = compiler.get_converters(columns)
        # None skips a column, as in the ORM. Most columns need no converter.
        self._columns = [column if i in converted else None for i, column in enumerate(columns)]

    def rows(self, values: Mapping[Any, Any]) -> Iterable[Sequence[Any]]:
        """Return the rows, with these values in the place of their stand-ins."""
        connection = connections[self.using]
        params = [values.get(param, param) for param in self._params]
        with connection.cursor() as cursor:
            cursor.execute(self._sql, params)
            rows: Iterable[Sequence[Any]] = cursor.fetchall()
        compiler = self._query.get_compiler(connection=connection)
        converters = compiler.get_converters(self._columns)
        return map(tuple, compiler.apply_converters(rows, converters)) if converters else rows

    def first(self, values: Mapping[Any, Any]) -> Optional[Sequence[Any]]:
        """Return the first row, or None."""
        return next(iter(self.rows(values)), None)
