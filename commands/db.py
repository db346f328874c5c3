"""`tweetspan db`: the database's revision."""

import click


@click.group("db")
def db_command() -> None:
    """Bring the database to this program's revision."""


@db_command.command("upgrade")
def upgrade() -> None:
    """Create the tables, or run the migrations that are missing. Workers may run, but on SQLite they wait meanwhile.

    Those of before go on until they are started again with this program; see docs/operations.md.

    \b
    Example: tweetspan db upgrade
    """
    from commands.opening import settings_with_home
    from db.session import upgrade_database

    click.echo(f"the database is on revision {upgrade_database(settings_with_home().database_url)}")
