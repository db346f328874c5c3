"""Column types that both databases share, and the base of all tables."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Annotated, Any

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Double, Integer, MetaData, Text, TypeDecorator
from sqlalchemy.orm import DeclarativeBase, mapped_column
from sqlalchemy.types import UserDefinedType


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime in UTC; SQLite, which knows no zones, stores it naive."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn an aware datetime into UTC."""
        if value is None:
            return None
        return value.astimezone(UTC).replace(tzinfo=None if dialect.name == "sqlite" else UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the datetime as aware, in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class IdArray(UserDefinedType[list[int]]):
    """PostgreSQL's BIGINT[], sent as text, which costs the driver less than a tenth of what its own arrays cost."""

    cache_ok = True
    render_bind_cast = True

    def get_col_spec(self, **_: Any) -> str:
        """Name the type in SQL."""
        return "BIGINT[]"

    def bind_processor(self, dialect: Dialect) -> Callable[[Iterable[int] | None], str | None]:
        """Write PostgreSQL's text form."""
        return lambda ids: None if ids is None else f"{{{','.join(map(str, ids))}}}"


class Base(DeclarativeBase):
    """The metadata, with a name for every constraint, so that migrations can drop them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


BIG = BigInteger().with_variant(Integer, "sqlite")  # SQLite's integers have 64 bits, and only INTEGER counts up

Key = Annotated[int, mapped_column(BIG, primary_key=True)]
TweetId = Annotated[int, mapped_column(BIG, primary_key=True, autoincrement=False)]
BigInt = Annotated[int, mapped_column(BIG)]
String = Annotated[str, mapped_column(Text)]
Seconds = Annotated[float, mapped_column(Double)]
Moment = Annotated[datetime, mapped_column(UtcDateTime)]
Json = Annotated[dict[str, Any], mapped_column(JSON)]
