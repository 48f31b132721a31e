"""What a bench is doing, on standard error: measurements take minutes, and their output may go elsewhere."""

import click


def say(text: str) -> None:
    """Tell people what happens next."""
    click.echo(f"bench: {text}", err=True)
