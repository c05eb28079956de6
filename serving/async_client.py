"""The client for an event loop: `Client`'s methods, to be awaited.

async with AsyncClient("127.0.0.1:8500", name="reviews") as client:
    await client.labels(["A delight."])
    async for row in client.predict_many(texts):
        …
"""

import asyncio
import functools
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Sequence
from types import TracebackType
from typing import Any

import grpc
import grpc.aio
import numpy as np

from serving import calls, results, stream
from serving.calls import DEFAULT_SIGNATURE, Texts
from serving.channels import Tls, open_channel
from serving.errors import Unreachable
from serving.protos import model_service_pb2_grpc, prediction_service_pb2_grpc
from serving.retries import RETRIES, Tries
from serving.rows import rows

__all__ = ["AsyncClient", "Tls"]


class AsyncClient:
    """As `Client`, for one event loop: that of its first call.

    Args: as `Client`.
    """

    def __init__(
        self,
        target: str,
        *,
        name: str | None = None,
        version: int | None = None,
        timeout: float = 60.0,
        retries: int = RETRIES,
        tls: Tls | None = None,
    ) -> None:
        self.target, self.version = target, version
        self.timeout, self.retries = timeout, retries
        self._name, self._tls = name, tls

    async def name(self) -> str:
        """The model's name, asked for once if none was given; errors as `Client.name`."""
        if self._name is None:
            self._name = await self._ask_name()
        return self._name

    async def predict(
        self, texts: Texts, signature: str = DEFAULT_SIGNATURE, *, outputs: Sequence[str] = ()
    ) -> list[dict[str, Any]]:
        """As `Client.predict`: one dict a text."""
        return rows(await self.predict_arrays(texts, signature, outputs=outputs))

    async def predict_arrays(
        self, texts: Texts, signature: str = DEFAULT_SIGNATURE, *, outputs: Sequence[str] = ()
    ) -> dict[str, np.ndarray]:
        """As `Client.predict_arrays`: arrays `[batch, …]`."""
        spec = calls.model_spec(await self.name(), self.version)
        request = calls.predict_request(spec, texts, signature, outputs)
        return calls.arrays(await self._answer(self._prediction.Predict, request))

    async def labels(self, texts: Texts, signature: str = DEFAULT_SIGNATURE) -> list[results.Label]:
        """As `Client.labels`."""
        return results.labels(await self.predict_arrays(texts, signature), signature)

    async def entities(
        self, texts: Texts, signature: str = DEFAULT_SIGNATURE
    ) -> list[list[results.Entity]]:
        """As `Client.entities`."""
        return results.entities(await self.predict_arrays(texts, signature), signature)

    def predict_many(
        self,
        texts: Iterable[str | bytes] | AsyncIterable[str | bytes],
        signature: str = DEFAULT_SIGNATURE,
        *,
        batch_size: int = stream.BATCH_SIZE,
        in_flight: int = stream.IN_FLIGHT,
        progress: stream.Progress | None = None,
    ) -> AsyncIterator[dict[str, Any]]:
        """As `Client.predict_many`, for `async for`."""
        return stream.in_order_async(
            lambda batch: self.predict(batch, signature),
            texts,
            batch_size=batch_size,
            in_flight=in_flight,
            progress=progress,
        )

    async def status(self) -> dict[int, str]:
        """As `Client.status`."""
        request = calls.status_request(calls.model_spec(await self.name(), self.version))
        return calls.states(await self._answer(self._model.GetModelStatus, request))

    async def wait(self, seconds: float) -> None:
        """As `Client.wait`."""
        try:
            await asyncio.wait_for(self._channel.channel_ready(), seconds)
        except asyncio.TimeoutError:
            raise Unreachable(self.target, f"not within {seconds:g} seconds") from None

    async def close(self) -> None:
        """Closes the channel."""
        if "_channel" in self.__dict__:
            await self._channel.close()

    async def __aenter__(self) -> "AsyncClient":
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    # A channel belongs to the loop that runs when it is made; a client may be made before that.
    @functools.cached_property
    def _channel(self) -> grpc.aio.Channel:
        return open_channel(grpc.aio, self.target, self._tls)

    @functools.cached_property
    def _prediction(self) -> prediction_service_pb2_grpc.PredictionServiceStub:
        return prediction_service_pb2_grpc.PredictionServiceStub(self._channel)

    @functools.cached_property
    def _model(self) -> model_service_pb2_grpc.ModelServiceStub:
        return model_service_pb2_grpc.ModelServiceStub(self._channel)

    async def _ask_name(self) -> str:
        request = calls.status_request(calls.model_spec(calls.UNNAMED, None))
        try:
            await self._tried(self._model.GetModelStatus, request)
        except grpc.RpcError as error:
            return calls.only_name(error, self.target)
        return calls.UNNAMED

    async def _answer(self, method: Callable[..., Any], request: Any) -> Any:
        try:
            return await self._tried(method, request)
        except grpc.RpcError as error:
            raise calls.fault(error, self.target) from error

    async def _tried(self, method: Callable[..., Any], request: Any) -> Any:
        tries = Tries(self.retries, self.timeout)
        while True:
            try:
                return await method(request, timeout=tries.remaining())
            except grpc.RpcError as error:
                pause = tries.pause_after(error)
                if pause is None:
                    raise
            await asyncio.sleep(pause)
