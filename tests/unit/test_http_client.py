"""The HTTP client of the gateways: what it keeps, what it will not do, and what it never tells."""

import datetime as dt
import http.client
import ipaddress
import logging
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from chalicelib import deadline, http_client
from chalicelib.errors import Busy, GatewayFailed
from chalicelib.gateways.wechat_login import WechatApp, WechatLogin
from infra.local.wechat import Wechat
from infra.local.wechat_http import Answer, Call, Server
from infra.local.wechat_keys import key_pair, private_pem
from tests.fixtures.unresponsive_server import trickling
from tests.fixtures.wechat_pay_gateway import PAID_AT_S, gateway_of, order

TEXT = b"text"


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    http_client.close_idle()
    yield
    http_client.close_idle()


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The hosts that were connected to, in order."""
    hosts: list[str] = []
    connect = http.client.HTTPConnection.connect

    def counted(connection: http.client.HTTPConnection) -> None:
        hosts.append(connection.host)
        connect(connection)

    monkeypatch.setattr(http.client.HTTPConnection, "connect", counted)
    return hosts


@contextmanager
def serving(answer: Answer, *, port: int = 0) -> Iterator[tuple[str, list[Call]]]:
    """(address, what was asked) of a server that always answers so."""
    calls: list[Call] = []

    def handle(call: Call) -> Answer:
        calls.append(call)
        return answer

    server = Server(handle, port)
    server.start()
    try:
        yield server.base_url, calls
    finally:
        server.stop()


@contextmanager
def saying(raw: bytes, *, tls: ssl.SSLContext | None = None) -> Iterator[tuple[str, list[bytes]]]:
    """(address, what was asked) of a server that says `raw` to one request, and ends."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            try:
                plain, _ = listening.accept()
                with tls.wrap_socket(plain, server_side=True) if tls else plain as asker:
                    heard.append(asker.recv(65536))
                    asker.sendall(raw)
            except OSError:
                return

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        scheme = "https" if tls else "http"
        yield f"{scheme}://127.0.0.1:{listening.getsockname()[1]}/", heard
        thread.join()


def get(url: str, *, bytes_max: int = 1000) -> bytes:
    return http_client.call("GET", url, headers={}, bytes_max=bytes_max)


def failure_of(url: str) -> dict[str, object]:
    with pytest.raises(GatewayFailed) as failure:
        get(url)
    return dict(failure.value.details)


# Kept connections


def test_connection_is_kept_from_one_call_to_the_next(connected: list[str]) -> None:
    with serving(Answer(200, TEXT)) as (url, calls):
        for _ in range(3):
            assert get(url) == TEXT
        http_client.send("POST", url, body=b"{}", headers={}, bytes_max=len(TEXT))

    assert len(connected) == 1
    assert [(call.method, call.body) for call in calls] == [("GET", b"")] * 3 + [("POST", b"{}")]


def test_answer_without_a_body_leaves_the_connection_good(connected: list[str]) -> None:
    with serving(Answer(204)) as (url, _):
        answers = [http_client.send("GET", url, headers={}, bytes_max=9) for _ in range(2)]

    assert [(answer.status, answer.body) for answer in answers] == [(204, b"")] * 2
    assert len(connected) == 1


def test_connection_that_the_other_side_has_ended_is_not_used(connected: list[str]) -> None:
    with serving(Answer(200, b"first")) as (url, _):
        assert get(url) == b"first"
    with serving(Answer(200, b"second"), port=int(url.rpartition(":")[2])) as (again, _):
        assert get(again) == b"second"

    assert len(connected) == 2


def test_connection_that_was_idle_for_long_is_not_used(
    connected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_client, "IDLE_S", 0.0)
    with serving(Answer(200, TEXT)) as (url, _):
        assert (get(url), get(url)) == (TEXT, TEXT)

    assert len(connected) == 2


def test_connection_with_more_in_it_than_the_answer_is_not_used(connected: list[str]) -> None:
    raw = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ntextHTTP/1.1 200 OK\r\n\r\n"
    with saying(raw) as (url, _):
        assert get(url) == TEXT

    assert "no_answer" in failure_of(url).values()  # nobody listens there any more
    assert len(connected) == 2


def test_no_more_connections_are_kept_than_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_client, "IDLE_MAX", 1)
    with serving(Answer(200, TEXT)) as (first, _), serving(Answer(200, TEXT)) as (second, _):
        assert (get(first), get(second), get(first)) == (TEXT, TEXT, TEXT)

        assert len(http_client._idle) == 1


# What is no answer


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ntext",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\ntext",
        b"",
        b"what\r\n\r\n",
    ],
)
def test_answer_that_was_cut_off_is_none(raw: bytes) -> None:
    with saying(raw) as (url, _):
        assert failure_of(url) == {"reason": "no_answer"}


def test_time_that_ends_within_an_answer_leaves_the_outcome_unknown() -> None:
    with trickling() as url, deadline.ends_in(0.4):
        assert failure_of(url) == {"reason": "no_answer"}


def test_answer_longer_than_wanted_is_not_read_and_its_connection_not_kept(
    connected: list[str],
) -> None:
    with serving(Answer(200, b"12345")) as (url, _):
        for _ in range(2):
            with pytest.raises(GatewayFailed) as failure:
                get(url, bytes_max=4)
            assert failure.value.details == {"reason": "too_long"}
        assert get(url, bytes_max=5) == b"12345"

    assert len(connected) == 3


def test_redirect_is_an_answer_and_not_followed() -> None:
    with (
        serving(Answer(200, TEXT)) as (elsewhere, asked),
        serving(Answer(302, b"", {"Location": elsewhere})) as (url, _),
    ):
        assert failure_of(url) == {"reason": "http_302"}

    assert asked == []


@pytest.mark.parametrize(
    "url", ["ftp://127.0.0.1/", "file:///etc/hostname", "http://[", "http://x y/"]
)
def test_address_that_is_no_web_address_is_not_asked(url: str) -> None:
    assert failure_of(url) == {"reason": "no_answer"}


def test_nothing_is_asked_on_a_kept_connection_when_no_time_is_left() -> None:
    with serving(Answer(200, TEXT)) as (url, calls):
        get(url)
        with deadline.ends_in(0), pytest.raises(Busy):
            get(url)

    assert len(calls) == 1


# TLS


def certificate(host: str) -> bytes:
    """A key and a certificate of itself for `host`, in PEM."""
    key = key_pair("tls")
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "gateway")])
    now = dt.datetime.now(dt.UTC)
    names = [x509.IPAddress(ipaddress.ip_address(host))]
    issued = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    return private_pem(key).encode() + issued.public_bytes(serialization.Encoding.PEM)


@pytest.mark.parametrize(
    ("host", "trusted", "asked"),
    [("127.0.0.1", True, True), ("127.0.0.1", False, False), ("127.0.0.2", True, False)],
)
def test_nothing_is_asked_of_who_is_not_proven_to_be_the_host(
    host: str, trusted: bool, asked: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pem = tmp_path / "server.pem"
    pem.write_bytes(certificate(host))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pem)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    http_client._tls.cache_clear()

    with saying(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ntext", tls=server) as (url, heard):
        if asked:
            assert get(url) == TEXT
        else:
            assert failure_of(url) == {"reason": "no_answer"}

    http_client._tls.cache_clear()
    assert bool(heard) is asked


# What is never told


def test_no_secret_is_in_any_log(wechat: Wechat, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    made = wechat.new_account("logged")
    login = WechatLogin(WechatApp(**made.wechat_login), wechat.base_url)

    login.identify(wechat.codes.issue("oBuyer"))
    gateway_of(made, wechat).prepay(order(), now_s=PAID_AT_S)
    wechat.faults.add("query", "server_error")
    with pytest.raises(GatewayFailed):
        gateway_of(made, wechat).query("1" * 32)

    secrets = [
        made.wechat_login["app_secret"],
        made.wechat_pay["api_v3_key"],
        "PRIVATE",
        "signature=",
    ]
    assert [secret for secret in secrets if secret in caplog.text] == []
    assert "jscode2session" not in caplog.text
