"""A pipeline in a notebook, component by component: `%load_ext pipeline.notebook`.

    from pipeline.notebook.session import open_session

    run = open_session("recipes/reviews.yaml")
    run("TextExampleGen", "StatisticsGen", "SchemaGen")

`session` runs the components, `show` shows what they left, `project_kernel` drives all of it from a
kernel whose own Python is another one.
"""

from typing import Any


def load_ipython_extension(shell: Any) -> None:
    """IPython's hook: errors that a user can mend take a line, and libraries keep quiet."""
    from pipeline.notebook import errors
    from serving.quiet import quiet_tensorflow

    quiet_tensorflow()
    errors.told_in_a_line(shell)
