"""``rawbert``: the group of all commands. TensorFlow and TFX are imported by those that run."""

import sys

import click

from pipeline.cli.compile import compile
from pipeline.cli.deploy import deploy
from pipeline.cli.fetch import fetch
from pipeline.cli.inspect import inspect
from pipeline.cli.predict import predict
from pipeline.cli.run import run
from pipeline.cli.serve import serve
from trainer.errors import BadInput

EXIT_FAULT, EXIT_BAD_INPUT = 1, 2


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="rawbert")
def cli() -> None:
    """Raw text in, BERT in the graph, one SavedModel out.

    \b
    Exit codes: 0 done (run: pushed) · 2 bad recipe, data or usage ·
                3 refused by a gate · 1 anything else.
    """


for command in (run, serve, predict, inspect, fetch, compile, deploy):
    cli.add_command(command)


def main() -> None:
    """The console script."""
    try:
        code = cli.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        code = EXIT_FAULT
    except BadInput as error:
        click.echo(f"Error: {error}", err=True)
        code = EXIT_BAD_INPUT
    except OSError as error:
        click.echo(f"Error: {error}", err=True)
        code = EXIT_FAULT
    sys.exit(code)


if __name__ == "__main__":
    main()
