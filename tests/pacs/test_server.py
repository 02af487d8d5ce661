"""What a server may answer, or not: a misfortune is one sentence that quotes nothing, and no answer is unbounded."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

pytest.importorskip("dicomweb_client", reason="the extra ecgkt[pacs] is not installed")

from ecgkt.pacs import server, transport
from ecgkt.pacs.server import PACSError, Server, StoredECG

pytestmark = pytest.mark.usefixtures("no_credentials")
SECRET = "Doe^Jane"
Answer = tuple[int, dict[str, str], bytes]


@pytest.fixture
def answering() -> Iterator[Callable[..., Server]]:
    """A server that gives one answer to whatever it is asked, and remembers the headers of the question."""
    running: list[ThreadingHTTPServer] = []

    def begin(answer: Answer, tls: ssl.SSLContext | None = None) -> Server:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, headers, body = answer
                begin.asked.append(dict(self.headers))  # type: ignore[attr-defined]
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *told: object) -> None: ...

        http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if tls:
            http.socket = tls.wrap_socket(http.socket, server_side=True)
        running.append(http)
        Thread(target=http.serve_forever, daemon=True).start()
        return Server(f"http://127.0.0.1:{http.server_port}/dicom-web/")

    begin.asked = []  # type: ignore[attr-defined]
    yield begin
    for http in running:
        http.shutdown()
        http.server_close()


JSON = {"Content-Type": "application/dicom+json"}


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ((401, {}, SECRET.encode()), "refuses the credentials"),
        ((403, {}, b""), "refuses the credentials"),
        ((404, {}, SECRET.encode()), "does not know"),
        ((500, {}, SECRET.encode()), "answers 500"),
        ((302, {"Location": "http://127.0.0.1:1/elsewhere"}, b""), "redirects"),
        ((200, {"Content-Type": "text/html"}, f"<html>{SECRET}".encode()), "not DICOMweb"),
        ((200, JSON, b'[{"0020000D": {"vr": "UI"}}]'), "not DICOMweb"),
        ((200, JSON, b'{"0020000D": 3}'), "not DICOMweb"),
        ((200, JSON, b" " * (transport.MAX_LIST_BYTES + 1)), "more than"),
    ],
    ids=["401", "403", "404", "500", "redirect", "a page", "no UID", "no data set", "too large"],
)
def test_a_bad_answer_is_one_sentence(
    answering: Callable[..., Server], answer: Answer, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(PACSError, match=sentence) as caught:
        list(answering(answer).ecgs())
    assert SECRET not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    assert capsys.readouterr().err == ""


def test_no_server_is_one_sentence() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(PACSError, match="cannot be reached"):
        list(Server(f"http://127.0.0.1:{port}/dicom-web").ecgs())


def test_a_server_that_speaks_no_tls_is_not_believed(answering: Callable[..., Server]) -> None:
    plain = answering((200, JSON, b"[]"))
    address = plain._client.base_url.replace("http://", "https://")
    with pytest.raises(PACSError, match=r"certificate|cannot be reached"):
        list(Server(address).ecgs())


def test_a_certificate_is_believed_only_if_its_authority_is_known(
    answering: Callable[..., Server], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    openssl = shutil.which("openssl")
    if not openssl:
        pytest.skip("openssl is not on this machine")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    make = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=127.0.0.1"]
    make += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(make, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    address = answering((200, JSON, b"[]"), context)._client.base_url.replace("http://", "https://")
    with pytest.raises(PACSError, match="certificate of the PACS cannot be verified"):
        list(Server(address).ecgs())
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    assert list(Server(address).ecgs()) == []


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("file:///etc/passwd", "https://"),
        ("pacs.example.org/dicom-web", "https://"),
        ("https://pacs.example.org/dicom-web?x=1", "https://"),
        ("https://reader:secret@pacs.example.org/dicom-web", "do not belong in the address"),
    ],
)
def test_an_address_must_be_one(url: str, sentence: str) -> None:
    with pytest.raises(PACSError, match=sentence) as caught:
        Server(url)
    assert "secret" not in str(caught.value)


def test_credentials_go_where_they_are_meant_to_and_nowhere_unencrypted(
    answering: Callable[..., Server], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(server.TOKEN, "abc")
    assert list(answering((200, JSON, b"[]")).ecgs()) == []
    assert answering.asked[-1]["Authorization"] == "Bearer abc"  # type: ignore[attr-defined]
    with pytest.raises(PACSError, match="https:// only"):
        Server("http://pacs.example.org/dicom-web")
    monkeypatch.delenv(server.TOKEN)
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login reader password p\n")
    (tmp_path / "netrc").chmod(0o600)
    assert list(answering((200, JSON, b"[]")).ecgs()) == []
    assert answering.asked[-1]["Authorization"] == "Basic cmVhZGVyOnA="  # type: ignore[attr-defined]


def test_a_server_that_knows_no_filter_has_its_other_objects_left_out(answering: Callable[..., Server]) -> None:
    def instance(sop_class: str) -> str:
        return (
            f'{{"00080016": {{"vr": "UI", "Value": ["{sop_class}"]}}, "00080018": {{"vr": "UI", "Value": ["1.2.3"]}}, '
            '"0020000D": {"vr": "UI", "Value": ["1.2"]}, "0020000E": {"vr": "UI", "Value": ["1.2.9"]}}'
        )

    ct, ecg = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.9.1.1"
    anything = answering((200, JSON, f"[{instance(ct)}, {instance(ecg)}]".encode()))
    assert anything.ecg("1.2") == StoredECG("1.2", "1.2.9", "1.2.3")
