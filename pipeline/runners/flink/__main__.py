"""`python -m pipeline.runners.flink start|stop`."""

from pathlib import Path

import click

from pipeline.runners.flink import jars
from pipeline.runners.flink.cluster import Cluster
from trainer.errors import BadInput


@click.command()
@click.argument("what", type=click.Choice(["start", "stop"]))
@click.option("--folder", type=click.Path(path_type=Path), default=Path("out/flink"),
              show_default=True, help="Logs and process ids.")  # fmt: skip
@click.option("--workers", type=click.IntRange(1), default=2, show_default=True)
@click.option("--port", type=int, default=8081, show_default=True, help="Of Flink's web page.")
def main(what: str, folder: Path, workers: int, port: int) -> None:
    """A Flink cluster on this machine; its jars (150 MB) come by Maven the first time."""
    cluster = Cluster(folder.absolute(), rest=port, workers=workers)
    try:
        if what == "stop":
            click.echo(f"stopped: {', '.join(cluster.stop()) or 'nothing was running'}")
            return
        if not jars.are_there():
            click.echo(f"bringing Flink {jars.FLINK} (150 MB) by Maven", err=True)
        cluster.start()
    except (BadInput, OSError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"Flink with {workers} Python workers: http://127.0.0.1:{port}")
    click.echo("Give these to `rawbert run` or `rawbert predict --bulk`:")
    click.echo(" ".join(f"--beam-arg={argument}" for argument in cluster.beam_args))


main()
