"""What answers raw strings: one system a file, each loaded in a process of its own.

Every file has ``load(folders, threads, max_tokens)``, which returns a function that takes texts to
scores, [texts, classes] float32. `folders` are what `raw_strings.py` made of one pushed model:
``saved_model`` (ours), ``fixed`` (the same weights behind padding to a fixed length), ``hf``
(transformers' format, with ``model.onnx`` and ``model-int8.onnx`` in it).
"""
