"""`groundup schema`: the JSON Schema of the recipe, for editors."""

import json

import click


@click.command()
def schema() -> None:
    """Print the JSON Schema of the recipe, for editors."""
    from groundup.recipe import recipe_schema

    click.echo(json.dumps(recipe_schema(), indent=1, ensure_ascii=False))
