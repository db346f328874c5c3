"""`tweetspan models`: the registry."""

import click

from commands.activation import activate, history, rollback
from commands.compare_models import compare
from commands.export_model import export
from commands.optimize import optimize

_HEADINGS = ("version", "active", "base model", "corpus", "trained (UTC)", "entity F1", "token F1", "fast form")


@click.group("models")
def models_command() -> None:
    """List, show, compare, activate, upload, export and optimize model versions."""


for _command in (compare, activate, rollback, history, export, optimize):
    models_command.add_command(_command)


@models_command.command("list")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def list_versions(as_json: bool) -> None:
    """List the versions with their scores.

    \b
    Example: tweetspan models list
    """
    from answers.model_rows import model_rows
    from commands.opening import opened
    from commands.rendering import print_json, print_table

    with opened() as (_, database), database.read_session() as session:
        rows = model_rows(session)
    if as_json:
        print_json(rows)
    elif rows:
        told = [{"active": "yes" if row["active"] else "", "fast_forms": ", ".join(row["fast_forms"])} for row in rows]
        print_table(_HEADINGS, [list({**row, **texts}.values()) for row, texts in zip(rows, told, strict=True)])
    else:
        click.echo("no model version yet; run `tweetspan train`")


@models_command.command("show")
@click.argument("version", default="active")
def show(version: str) -> None:
    """Show all that is recorded of a version, as JSON: hyperparameters, corpus, scores of each epoch, artifact,
    its evaluations in short, its fast forms with what they cost, and the trials of the search that it came of.

    \b
    Example: tweetspan models show 2
    """
    from answers.model_rows import model_details_row
    from commands.opening import opened
    from commands.rendering import print_json

    with opened() as (_, database), database.read_session() as session:
        print_json(model_details_row(session, version))


@models_command.command("upload")
@click.argument("version")
@click.argument("uri")
def upload_version(version: str, uri: str) -> None:
    """Copy a version's model to URI (s3://, file:// on a shared mount ...), where every machine finds it from then on.

    It is read back and compared before the version points there. Its fast forms go along, to folders in URI;
    run it again once there is another. Credentials are those of the scheme's driver, from the environment; a URI
    with a password in it is refused. What lies at URI already, as it must on a web server, is only checked.

    \b
    Examples:
      tweetspan models upload 2 s3://models.example/tweetspan/2
      tweetspan models upload active file:///mnt/shared/tweetspan/2
    """
    from commands.opening import opened
    from commands.rendering import transfer_bar
    from db import model_versions, optimized_forms
    from worker.artifacts import upload

    with opened() as (settings, database):
        with database.read_session() as session:
            found = model_versions.find(session, version)
            forms = optimized_forms.forms_of(session, found.id)
        with transfer_bar() as on_block:
            upload(found.artifact_uri, found.artifact_hash, uri, settings, on_block)
        with database.write_session() as session:
            model_versions.relocate(session, found.id, uri)
        click.echo(f"model version {found.id} lies at {uri} now; every machine that can read it can tag with it")
        for form in forms:
            place = f"{uri.rstrip('/')}/{form.precision}-{form.artifact_hash[:16]}"
            with transfer_bar() as on_block:
                upload(form.artifact_uri, form.artifact_hash, place, settings, on_block)
            with database.write_session() as session:
                is_moved = optimized_forms.relocate(session, form.artifact_hash, place)
            told = "lies at" if is_moved else "was made anew meanwhile: upload again; the old one lies at"
            click.echo(f"its {form.precision} form {told} {place} now")
