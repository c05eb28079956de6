"""What clients do about a server in trouble; and TLS and Unix sockets."""

import asyncio
import datetime
import ipaddress
import itertools
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from fault_gate import Gate, gate_before

from serving.async_client import AsyncClient
from serving.channels import Tls, probe
from serving.client import Client
from serving.errors import Code, ServingError, Unreachable
from serving.retries import Backoff, Tries

UNAVAILABLE = grpc.StatusCode.UNAVAILABLE


@pytest.fixture
def gate(server: Any) -> Iterator[tuple[str, Gate]]:
    with gate_before(server.target) as opened:
        yield opened


def ask(kind: str, target: str, **options: Any) -> Any:
    if kind == "sync":
        with Client(target, name="tiny", **options) as client:
            return client.predict(["a"])

    async def asked() -> Any:
        async with AsyncClient(target, name="tiny", **options) as client:
            return await client.predict(["a"])

    return asyncio.run(asked())


both = pytest.mark.parametrize("kind", ["sync", "async"])


@both
@pytest.mark.parametrize(
    ("refusals", "retries", "calls", "code"),
    [
        ([UNAVAILABLE] * 3, 3, 4, None),
        ([UNAVAILABLE] * 3, 2, 3, Code.UNAVAILABLE),
        ([UNAVAILABLE], 0, 1, Code.UNAVAILABLE),
        ([grpc.StatusCode.INTERNAL], 3, 1, Code.INTERNAL),
        ([grpc.StatusCode.RESOURCE_EXHAUSTED], 3, 1, Code.RESOURCE_EXHAUSTED),
        ([UNAVAILABLE, grpc.StatusCode.INTERNAL], 3, 2, Code.INTERNAL),
    ],
    ids=["enough", "one too few", "switched off", "an answer", "exhausted", "another answer"],
)
def test_only_unavailable_is_tried_again(
    gate: tuple[str, Gate], kind: str, refusals: Any, retries: int, calls: int, code: Code | None
) -> None:
    target, door = gate
    door.refusals = list(refusals)
    if code is None:
        assert ask(kind, target, retries=retries)[0]["label"] == "rotten"
    else:
        with pytest.raises(ServingError) as caught:
            ask(kind, target, retries=retries)
        assert caught.value.code is code
    assert door.calls == calls


@both
def test_all_tries_share_one_deadline(gate: tuple[str, Gate], kind: str) -> None:
    target, door = gate
    door.refusals = [UNAVAILABLE] * 1000
    start = time.monotonic()
    with pytest.raises(ServingError, match="UNAVAILABLE: not now"):
        ask(kind, target, retries=1000, timeout=2.0)
    assert time.monotonic() - start < 60  # 1000 tries would take half an hour
    assert door.calls > 1
    # What is left when a try arrives; two that come at once may be read in either order.
    assert all(later < earlier + 0.1 for earlier, later in itertools.pairwise(door.deadlines))
    assert door.deadlines[-1] < 1.5


@both
def test_a_slow_answer_ends_at_the_deadline(gate: tuple[str, Gate], kind: str) -> None:
    target, door = gate
    door.delay = 3.0
    with pytest.raises(ServingError) as caught:
        ask(kind, target, timeout=0.2)
    assert caught.value.code is Code.DEADLINE_EXCEEDED
    assert door.calls == 1


def test_pauses_double_up_to_a_limit_and_differ() -> None:
    backoff = Backoff(first=0.1, factor=2.0, most=0.5)
    for tries, longest in [(1, 0.1), (2, 0.2), (3, 0.4), (4, 0.5), (9, 0.5)]:
        pauses = [backoff.pause(tries) for _ in range(100)]
        assert longest / 2 <= min(pauses) < max(pauses) <= longest


class Refused(grpc.RpcError):
    def code(self) -> grpc.StatusCode:
        return UNAVAILABLE


def test_a_pause_never_ends_after_the_deadline() -> None:
    long = Backoff(first=10.0, most=10.0)
    assert Tries(3, 60.0, long).pause_after(Refused()) is not None
    assert Tries(3, 1.0, long).pause_after(Refused()) is None


@both
def test_a_unix_socket(server: Any, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "s"
    for address in (f"unix:{path}", f"unix://{path}"):
        with gate_before(server.target, address) as (target, door):
            probe(target)
            assert ask(kind, target)[0]["label"] == "rotten"
            assert door.calls == 1
    with pytest.raises(Unreachable, match="no such file"):
        probe(f"unix:{path}")


def certificate(folder: Path, name: str, signer: tuple[Any, Any] | None = None) -> tuple[Any, Any]:
    """Writes NAME.key and NAME.crt, signed by itself or by another; gives (key, certificate)."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.timezone.utc)
    names = [x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(signer[1].subject if signer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=signer is None, path_length=None), critical=True)
        .sign(signer[0] if signer else key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    no_password = serialization.NoEncryption()
    traditional = serialization.PrivateFormat.PKCS8
    (folder / f"{name}.key").write_bytes(key.private_bytes(pem, traditional, no_password))
    (folder / f"{name}.crt").write_bytes(built.public_bytes(pem))
    return key, built


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certificates")
    authority = certificate(folder, "authority")
    for name in ("server", "client"):
        certificate(folder, name, authority)
    return folder


@pytest.fixture
def secure(server: Any, certificates: Path) -> Iterator[str]:
    """The target of a door that asks for a client's certificate."""
    read = {file.name: file.read_bytes() for file in certificates.iterdir()}
    credentials = grpc.ssl_server_credentials(
        [(read["server.key"], read["server.crt"])], read["authority.crt"], True
    )
    with gate_before(server.target, credentials=credentials) as (target, _):
        yield target


@both
def test_tls_with_a_clients_certificate(secure: str, certificates: Path, kind: str) -> None:
    root = certificates / "authority.crt"
    whole = Tls(root, certificates / "client.key", certificates / "client.crt")
    assert ask(kind, secure, tls=whole)[0]["label"] == "rotten"
    named = Tls(root, certificates / "client.key", certificates / "client.crt", "server")
    assert ask(kind, secure, tls=named)[0]["label"] == "rotten"
    for less in (None, Tls(), Tls(root)):
        with pytest.raises((Unreachable, ServingError)):
            ask(kind, secure, tls=less, retries=0)


def test_files_of_tls_that_do_not_do(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="come together"):
        Tls(key=tmp_path / "k")
    with pytest.raises(FileNotFoundError):
        Client("127.0.0.1:1", tls=Tls(root=tmp_path / "none"))
