"""The columns of a tagged tf.train.Example: its entities, and the source's own words.

All are lists, which may be empty: starts and ends int64, UTF-8 bytes of the text; types strings.
"""

SPANS = SPAN_STARTS, SPAN_ENDS, SPAN_TYPES = ("span_starts", "span_ends", "span_types")
WORDS = WORD_STARTS, WORD_ENDS = ("word_starts", "word_ends")
OFFSETS = (SPAN_STARTS, SPAN_ENDS, *WORDS)
