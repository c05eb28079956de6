"""Training with a server's setting would end as it began: it is refused before it starts."""

from types import SimpleNamespace

import pytest

from trainer import training
from trainer.errors import BadInput
from trainer.frozen import VARIABLE, refuse_frozen_weights


@pytest.mark.parametrize("value", ["1", "true", "True"])
def test_training_with_frozen_weights_is_refused(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, value)
    with pytest.raises(
        BadInput, match=f"{VARIABLE}={value}: nothing would be learned.*environment"
    ):
        training.run_fn(SimpleNamespace())


@pytest.mark.parametrize("value", [None, "0", "false", ""])
def test_training_without_is_not(value: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    if value is not None:
        monkeypatch.setenv(VARIABLE, value)
    refuse_frozen_weights()
