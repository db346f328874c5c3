"""Many rows at once, the fastest way each database has."""

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

import psycopg
from psycopg import sql
from psycopg.errors import UniqueViolation
from sqlalchemy import (
    ARRAY,
    ColumnElement,
    FromClause,
    Integer,
    Row,
    Select,
    Text,
    any_,
    cast,
    collate,
    func,
    insert,
    literal,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.types import TypeEngine

from db.columns import Base, IdArray

_INSERT: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}  # both know ON CONFLICT
_COPY = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT {})")


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


def is_one_of(
    session: Session,
    column: InstrumentedAttribute[int] | InstrumentedAttribute[int | None] | ColumnElement[int],
    values: Collection[int],
) -> ColumnElement[bool]:
    """Return the SQL for `column IN values`, which go as one parameter, however many they are."""
    if len(values) == 1:  # an index whose first column this is gives its rows in order
        return column == next(iter(values))
    if dialect(session) == "postgresql":
        return column == any_(literal(values, IdArray()))
    listed = func.json_each(json.dumps(list(values))).table_valued("value")
    return column.in_(select(listed.c.value))


def by_bytes(session: Session, column: Any) -> ColumnElement[str]:
    """Return the SQL to order by a text as Python does, whatever the server's locale."""
    return collate(column, "C" if dialect(session) == "postgresql" else "BINARY")


def copy_rows(session: Session, table: type[Base], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Append rows that are not there yet: by COPY on PostgreSQL, by executemany on SQLite."""
    if dialect(session) == "sqlite":
        values = [dict(zip(columns, row, strict=True)) for row in rows]
        if values:
            session.execute(insert(table), values)
        return
    _copy(session, table.__table__, table.__tablename__, columns, rows)


def copy_new(
    session: Session,
    table: type[Base],
    columns: Sequence[str],
    keys: Collection[int],
    row: Callable[[int], Sequence[Any]],
    known: Callable[[Session, Collection[int]], Iterable[int]],
) -> set[int]:
    """Append the row of each key that is not `known`; return the keys of what is new.

    In the order of the keys: two transactions that store the same rows at once must not deadlock. The second waits for
    the first, and looks again.
    """
    in_order = sorted(keys)
    while True:
        new = set(in_order).difference(known(session, in_order))
        try:
            with session.begin_nested():
                copy_rows(session, table, columns, [row(key) for key in in_order if key in new])
            return new
        except IntegrityError as error:
            if not isinstance(error.orig, UniqueViolation):
                raise


def dialect_insert(session: Session, table: type[Base]) -> Any:
    """Return an INSERT that knows ON CONFLICT, of the plain table: an ORM insert may come as several statements."""
    return _INSERT[dialect(session)](table.__table__)


def read_rows(session: Session, statement: Select[*tuple[Any, ...]]) -> Sequence[Row[*tuple[Any, ...]]]:
    """Run a statement that asks for columns, many rows of them: without what a session does for objects."""
    return session.connection().execute(statement).all()


def insert_new(
    session: Session, table: type[Base], rows: Sequence[Mapping[str, Any]], *returning: Any
) -> Sequence[Row[*tuple[Any, ...]]]:
    """Insert the rows whose key is not there yet; return the columns `returning` of those that were inserted."""
    if not rows:
        return []
    statement, parameters = _insert(session, table, rows)
    return session.execute(statement.on_conflict_do_nothing().returning(*returning), parameters).all()


def add_up(session: Session, table: type[Base], rows: Sequence[Mapping[str, Any]], sums: Collection[str]) -> None:
    """Insert rows; where one with the same key is there, add the columns `sums` to those of that one."""
    if not rows:
        return
    statement, parameters = _insert(session, table, rows)
    target = table.__table__
    added = {name: target.c[name] + statement.excluded[name] for name in sums}
    session.execute(statement.on_conflict_do_update(index_elements=list(target.primary_key), set_=added), parameters)


def given(table: type[Base], rows: Sequence[Mapping[str, Any]]) -> FromClause:
    """Return the SQL for rows with columns of a table, in their order. PostgreSQL only.

    They go as one array a column, however many they are: a statement with a parameter for each value costs the driver
    and the server more to read than to run.
    """
    columns = table.__table__.c
    arrays = (
        cast(literal(_array(columns[name].type, [row[name] for row in rows]), Text), ARRAY(columns[name].type))
        for name in rows[0]
    )
    return func.unnest(*arrays).table_valued(*rows[0]).render_derived()


def _insert(session: Session, table: type[Base], rows: Sequence[Mapping[str, Any]]) -> tuple[Any, Any]:
    """Return an INSERT of rows, and the parameters to run it with."""
    statement = dialect_insert(session, table)
    if dialect(session) == "postgresql":
        return statement.from_select(list(rows[0]), select(*given(table, rows).c)), None
    return statement, rows


def _array(type_: TypeEngine[Any], values: Iterable[Any]) -> str:
    """Write PostgreSQL's text form of an array; whole numbers, the most, as they are, and never None."""
    return f"{{{','.join(map(str if isinstance(type_, Integer) else _element, values))}}}"


def _element(value: Any) -> str:
    return "NULL" if value is None else '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _copy(
    session: Session, table: FromClause, name: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    dialect_ = session.get_bind().dialect
    types = [table.c[column].type.compile(dialect_).lower() for column in columns]
    is_binary = "tsvector" not in types  # else no value goes through text; this one the driver knows as text alone
    form = sql.SQL("BINARY" if is_binary else "TEXT")
    statement = _COPY.format(sql.Identifier(name), sql.SQL(", ").join(map(sql.Identifier, columns)), form)
    driver = session.connection().connection.driver_connection
    assert driver is not None
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            if is_binary:
                copy.set_types(types)
            for row in rows:
                copy.write_row(row)
    except psycopg.Error as error:  # as SQLAlchemy's own: what it means is decided by those
        raise DBAPIError.instance("COPY", None, error, psycopg.Error, dialect=dialect_) from error
