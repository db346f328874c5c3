"""Many rows at once, the fastest way each database has."""

from collections.abc import Iterable, Sequence
from typing import Any

from psycopg import sql
from sqlalchemy import insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from db.tables import Base

_INSERT: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}  # both know ON CONFLICT


def dialect(session: Session) -> str:
    """Name the database behind a session: sqlite or postgresql."""
    return session.get_bind().dialect.name


def copy_rows(session: Session, table: type[Base], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Append rows that are not there yet: by COPY on PostgreSQL, by executemany on SQLite."""
    if dialect(session) == "sqlite":
        values = [dict(zip(columns, row, strict=True)) for row in rows]
        if values:
            session.execute(insert(table), values)
        return
    driver = session.connection().connection.driver_connection
    assert driver is not None
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table.__tablename__), names)
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def insert_new(session: Session, table: type[Base], rows: Sequence[dict[str, Any]], returning: Any) -> set[Any]:
    """Insert the rows whose key is not there yet; return the column `returning` of those that were inserted."""
    if not rows:
        return set()
    statement = _INSERT[dialect(session)](table).on_conflict_do_nothing().returning(returning)
    return set(session.scalars(statement, rows))
