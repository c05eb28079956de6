"""Text formats, one a file; every reader streams and numbers its rows.

for record in read("reviews.csv.gz", columns=["text", "label"]):
    ...   # Row({"text": …, "label": …}, file, line) or BadRow(file, line, reason)
"""

from components.readers.find import FORMATS, expand, format_of
from components.readers.formats import columns, read, require
from components.readers.rows import BadRow, Row

__all__ = ["FORMATS", "BadRow", "Row", "columns", "expand", "format_of", "read", "require"]
