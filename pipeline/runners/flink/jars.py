"""Flink and Beam's job server for it, brought by Maven once and kept in rawbert's cache.

The plain artifacts, not Beam's shaded job-server jar: they hold the classes of Flink's standalone
cluster, too, so that one download is both.
"""

import os
import shutil
import subprocess
import zipfile
from pathlib import Path

from components.sources.cache import cache_folder
from trainer.errors import BadInput

# Checked with the Python SDK 2.74. A mirror may lack newer ones.
FLINK, BEAM = "1.19", "2.62.0"
_LOGGING = "1.7.30"
_POM = """\
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>rawbert</groupId><artifactId>flink</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>org.apache.beam</groupId>
      <artifactId>beam-runners-flink-{flink}</artifactId><version>{beam}</version></dependency>
    <dependency><groupId>org.slf4j</groupId>
      <artifactId>slf4j-jdk14</artifactId><version>{logging}</version></dependency>
  </dependencies>
</project>
"""
_DRIVER = "org.apache.beam.runners.flink.FlinkJobServerDriver"


def folder() -> Path:
    """Where the jars are, or will be."""
    return cache_folder() / f"flink-{FLINK}-beam-{BEAM}"


def are_there() -> bool:
    """Whether they were brought before."""
    return (folder() / "job-server.jar").exists()


def bring() -> Path:
    """The folder of the jars, brought if they are not there (150 MB).

    Raises:
        BadInput: no Java, no Maven, or Maven does not get them.
    """
    for program, package in (("java", "a Java runtime, 11 or 17"), ("mvn", "Maven")):
        if shutil.which(program) is None:
            raise BadInput(f"there is no `{program}` on PATH", fix=f"Install {package}.")
    jars = folder()
    if are_there():
        return jars
    draft = jars.with_name(f"{jars.name}.{os.getpid()}")
    shutil.rmtree(draft, ignore_errors=True)  # of a process that had this id and was killed
    draft.mkdir(parents=True)
    pom = draft / "pom.xml"
    pom.write_text(_POM.format(flink=FLINK, beam=BEAM, logging=_LOGGING))
    command = ["mvn", "-q", "-B", "-f", str(pom), "dependency:copy-dependencies"]
    done = subprocess.run(
        [*command, "-DincludeScope=runtime", f"-DoutputDirectory={draft}"],
        capture_output=True, text=True, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    if done.returncode:
        shutil.rmtree(draft)
        said = [line for line in done.stdout.splitlines() if "ERROR" in line]
        raise BadInput(f"Maven does not get Flink: {(said or ['no reason given'])[0]}")
    _write_job_server(draft)
    shutil.rmtree(jars, ignore_errors=True)
    draft.rename(jars)
    return jars


def _write_job_server(jars: Path) -> None:
    """A jar of a manifest alone, for `java -jar` and `--flink_job_server_jar`."""
    names = " ".join(sorted(file.name for file in jars.glob("*.jar")))
    manifest = "Manifest-Version: 1.0\n" + _wrapped(f"Main-Class: {_DRIVER}")
    manifest += _wrapped(f"Class-Path: {names}") + "\n"
    with zipfile.ZipFile(jars / "job-server.jar", "w") as jar:
        jar.writestr("META-INF/MANIFEST.MF", manifest)


def _wrapped(line: str, width: int = 70) -> str:
    """A manifest's line is at most 72 bytes; a further one begins with a space."""
    parts = [line[:width], *(line[i : i + width - 1] for i in range(width, len(line), width - 1))]
    return "\n ".join(parts) + "\n"
