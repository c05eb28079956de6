"""The questions that whoever answers with arrays can be asked: a server, or a model in process."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from serving import results, stream
from serving.calls import DEFAULT_SIGNATURE, Texts
from serving.rows import rows


class Asked(ABC):
    """`predict_arrays`, and what follows from it."""

    @abstractmethod
    def predict_arrays(
        self, texts: Texts, signature: str = DEFAULT_SIGNATURE, *, outputs: Sequence[str] = ()
    ) -> dict[str, np.ndarray]:
        """As `predict`, but the outputs as they came: arrays `[batch, …]`, strings as bytes."""

    def predict(
        self, texts: Texts, signature: str = DEFAULT_SIGNATURE, *, outputs: Sequence[str] = ()
    ) -> list[dict[str, Any]]:
        """One dict a text, of plain Python values by output name, widths cut to true lengths.

        Args:
            texts: the texts, or the inputs by name (`{"text": […], "text_pair": […]}`).
            signature: which signature to run.
            outputs: only these outputs; all by default.

        Raises:
            ServingError: the server refuses, with its code and message.
            Unreachable: no server answers.
            TypeError: what was given is no list of texts.
        """
        return rows(self.predict_arrays(texts, signature, outputs=outputs))

    def labels(self, texts: Texts, signature: str = DEFAULT_SIGNATURE) -> list[results.Label]:
        """A classifier's label for each text.

            client.labels(["A delight."])[0].label  # "fresh"

        Raises:
            OtherTask: the model is no classifier.
            ServingError, Unreachable, TypeError: as `predict`.
        """
        return results.labels(self.predict_arrays(texts, signature), signature)

    def entities(
        self, texts: Texts, signature: str = DEFAULT_SIGNATURE
    ) -> list[list[results.Entity]]:
        """A tagger's entities in each text.

            client.entities(["Ada Holm was in Lima."])[0][0].text  # "Ada Holm"

        Raises:
            OtherTask: the model is no tagger.
            ServingError, Unreachable, TypeError: as `predict`.
        """
        return results.entities(self.predict_arrays(texts, signature), signature)

    def predict_many(
        self,
        texts: Iterable[str | bytes],
        signature: str = DEFAULT_SIGNATURE,
        *,
        batch_size: int = stream.BATCH_SIZE,
        in_flight: int = stream.IN_FLIGHT,
        progress: stream.Progress | None = None,
    ) -> Iterator[dict[str, Any]]:
        """The row of each text in turn, however many there are: see `stream.in_order`.

        for row in client.predict_many(open("texts.txt"), progress=print):
            …

        Raises:
            BatchFailed: a batch got no answer; says which texts, and why.
        """
        return stream.in_order(
            lambda batch: self.predict(batch, signature),
            texts,
            batch_size=batch_size,
            in_flight=in_flight,
            progress=progress,
        )
