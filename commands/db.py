"""`tweetspan db`: the database's revision."""

import click


@click.group("db")
def db_command() -> None:
    """Bring the database to this program's revision."""


@db_command.command("upgrade")
def upgrade() -> None:
    """Create the tables, or run the migrations that are missing. Stop the workers first.

    \b
    Example: tweetspan db upgrade
    """
    from db.session import upgrade_database
    from settings import read_settings

    settings = read_settings()
    settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    click.echo(f"the database is on revision {upgrade_database(settings.database_url)}")
