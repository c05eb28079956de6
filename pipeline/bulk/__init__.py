"""Bulk inference: files of texts in, the same files with the model's answers as columns out.

A Beam element is a shard of an input file; the worker that gets it reads, asks and writes. Nothing
but a shard's number travels between workers, so memory does not grow with the data on any runner,
rows keep their order, and a shard that is written is never asked again.
"""
