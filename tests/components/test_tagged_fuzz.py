"""Whatever bytes a tagged file holds: rows whose spans fit, bad rows with a line, or BadInput."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.readers import BadRow, read
from components.readers.detect_scheme import scheme_of
from components.readers.tagged import Tagged
from trainer.errors import BadInput

PARTS = {
    "a.conll": [
        b"a", b"B-X", b"I-X", b"E-X", b"S-", b"O", b"#", b"-DOCSTART-", b" ", b"\t", b"\n", b"\n\n",
        b"\r\n", b"\r", b"\0", b"\xff", "海“😀".encode(), "\u3000".encode(), b"\xef\xbb\xbf", b"-",
    ],
    "a.tsv": [
        b"text", b"entities", b"\t", b"\n", b"a", b" ", b"B-X", b"I-X", b"O", b"\0", b"\xff", b'"',
        b"text\tentities\n", b"a b\tO B-X\n", "海 海\tB-X I-X\n".encode(), b"\r\n",
    ],
    "a.jsonl": [
        b'{"text": "a b", "entities": [[0, 1, "X"]]}\n', '{"text": "é海", "entities": '.encode(),
        b"[[0, 2, ", b"[[1, 9, ", b'"X"]]}', b"[{", b'"start": 0, "end": 1, ', b'"type": "X"}]}',
        b"null}", b"[]}", b"1e999", b"-1", b"\n", b"\xff", b"\\u0000", b"\\ud800", b'"', b"{}",
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", PARTS)
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), repair=st.booleans())
def test_any_bytes(tmp_path, name, data, repair):
    path = tmp_path / name
    path.write_bytes(b"".join(data.draw(st.lists(st.sampled_from(PARTS[name]), max_size=40))))
    try:
        scheme = scheme_of([path], None, Tagged(repair=repair))
        records = list(read(path, tagged=Tagged(scheme=scheme, repair=repair)))
    except BadInput as error:
        assert str(path) in error.where
        return
    lines = path.read_bytes().count(b"\n") + 1
    for record in records:
        assert 1 <= record.line <= lines
        if isinstance(record, BadRow):
            assert record.reason.encode()
        else:
            spans_fit(record.values["text"].encode(), record.spans)


def spans_fit(raw, spans):
    """Sorted, apart, inside, not empty, on characters' edges; words likewise."""
    for starts, ends in ((spans.starts, spans.ends), (spans.word_starts, spans.word_ends)):
        edges = [edge for pair in zip(starts, ends, strict=True) for edge in pair]
        assert edges == sorted(edges) and [0, *edges, len(raw)] == sorted([0, *edges, len(raw)])
        assert all(raw[s:e].decode() for s, e in zip(starts, ends, strict=True))
    assert len(spans.types) == len(spans.starts) and all(kind.encode() for kind in spans.types)
