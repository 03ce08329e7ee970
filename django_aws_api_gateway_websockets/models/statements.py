"""Statements whose SQL is written once. Knows the ORM's compilers, and no model.

Django writes the SQL of a queryset anew each time that it is read, and that of a row each time
that one is made.
"""

from __future__ import annotations

from typing import Any, Iterable, Mapping, Optional, Sequence, Type

from django.db import connections, transaction
from django.db.models import Model, QuerySet
from django.db.models.sql import InsertQuery


class Select:
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


class Insert:
    """The INSERT of a new row of a model with one table, in one database.

    It sends no signals, and leaves to the database the columns that have a default there.
    """

    def __init__(self, model: Type[Model], using: str) -> None:
        meta: Any = model._meta
        self._using = using
        self._returned = meta.db_returning_fields
        self._fields = [
            field for field in meta.local_concrete_fields if field not in self._returned
        ]
        self._query: Any = InsertQuery(model)
        self._query.insert_values(self._fields, [model()])
        compiler = self._query.get_compiler(using)
        compiler.returning_fields = self._returned
        ((self._sql, _),) = compiler.as_sql()

    def run(self, row: Model) -> None:
        """Make the row, which gets its key. Raises IntegrityError as save() does."""
        compiler = self._query.get_compiler(self._using)
        params = [
            field.get_db_prep_save(field.pre_save(row, add=True), compiler.connection)
            for field in self._fields
        ]
        compiler.as_sql = lambda: [(self._sql, params)]
        with transaction.mark_for_rollback_on_error(self._using):
            (values,) = compiler.execute_sql(self._returned)
        for field, value in zip(self._returned, values):
            setattr(row, field.attname, value)
        row._state.adding, row._state.db = False, self._using
