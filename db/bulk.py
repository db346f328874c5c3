"""Many rows at once, the fastest way each database has."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import Column, ColumnElement, FromClause, MetaData, Table, func, insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from db.tables import Base

_INSERT: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}  # both know ON CONFLICT
_COPY = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)")  # in binary no value goes through text


def dialect(session: Session) -> str:
    """Name the database behind a session: sqlite or postgresql."""
    return session.get_bind().dialect.name


def cardinality(session: Session, array: Any) -> ColumnElement[int]:
    """Return the SQL for the length of an array column."""
    return func.cardinality(array) if dialect(session) == "postgresql" else func.json_array_length(array)


def elements(session: Session, array: Any) -> ColumnElement[int]:
    """Return the SQL for the elements of an array column, to be compared inside an EXISTS."""
    if dialect(session) == "postgresql":
        return func.unnest(array).column_valued("element")
    return func.json_each(array).table_valued("value").c.value


def copy_rows(session: Session, table: type[Base], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Append rows that are not there yet: by COPY on PostgreSQL, by executemany on SQLite."""
    if dialect(session) == "sqlite":
        values = [dict(zip(columns, row, strict=True)) for row in rows]
        if values:
            session.execute(insert(table), values)
        return
    _copy(session, table.__table__, table.__tablename__, columns, rows)


def insert_new(session: Session, table: type[Base], rows: Sequence[dict[str, Any]], returning: Any) -> set[Any]:
    """Insert the rows whose key is not there yet; return the column `returning` of those that were inserted."""
    if not rows:
        return set()
    # The plain table: as an ORM insert, rows with None in different columns would be statements of their own.
    statement = _INSERT[dialect(session)](table.__table__).on_conflict_do_nothing().returning(returning)
    return set(session.scalars(statement, rows))


@contextmanager
def staged(session: Session, table: type[Base], rows: Sequence[dict[str, Any]]) -> Iterator[Table]:
    """COPY rows into a temporary table like `table`, for the time of a block. PostgreSQL only."""
    copied = _temporary_table(table)
    copied.create(session.connection(), checkfirst=False)
    _copy(session, copied, copied.name, list(rows[0]), (tuple(row.values()) for row in rows))
    yield copied
    copied.drop(session.connection(), checkfirst=False)  # after an error the transaction takes it away


@cache  # SQLAlchemy compiles a statement again for each new table object
def _temporary_table(table: type[Base]) -> Table:
    columns = [Column(one.name, one.type) for one in table.__table__.c]
    return Table(f"new_{table.__tablename__}", MetaData(), *columns, prefixes=["TEMPORARY"])


def _copy(
    session: Session, table: FromClause, name: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    statement = _COPY.format(sql.Identifier(name), sql.SQL(", ").join(map(sql.Identifier, columns)))
    driver = session.connection().connection.driver_connection
    dialect_ = session.get_bind().dialect
    assert driver is not None
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            copy.set_types([table.c[column].type.compile(dialect_).lower() for column in columns])
            for row in rows:
                copy.write_row(row)
    except psycopg.Error as error:  # as SQLAlchemy's own: what it means is decided by those
        raise DBAPIError.instance("COPY", None, error, psycopg.Error, dialect=dialect_) from error
