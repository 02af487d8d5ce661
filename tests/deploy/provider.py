"""An OpenID provider that knows one person and asks nothing: discovery, code flow, a signed ID token."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET, PERSON = "ecgkt", "a client's secret", {"sub": "7", "name": "Jane Doe", "email": "jane@example.org"}


@contextmanager
def provider() -> Iterator[str]:
    """Its address, while it runs."""
    key = RSAKey.generate_key(2048, {"kid": "1", "use": "sig", "alg": "RS256"})
    nonces: dict[str, str] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            said = {name: values[0] for name, values in parse_qs(asked.query).items()}
            if asked.path == "/authorize":
                nonces["code"] = said.get("nonce", "")
                self.send_response(302)
                back = urlencode({"code": "code", "state": said["state"]})
                self.send_header("Location", f"{said['redirect_uri']}?{back}")
                self.end_headers()
            elif asked.path == "/jwks":
                self._answer({"keys": [key.as_dict(private=False)]})
            else:
                ends = {"authorization_endpoint": f"{address}/authorize", "token_endpoint": f"{address}/token"}
                supported = {"response_types_supported": ["code"], "id_token_signing_alg_values_supported": ["RS256"]}
                self._answer({"issuer": address, "jwks_uri": f"{address}/jwks", **ends, **supported})

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            now = int(time.time())
            claims = {"iss": address, "aud": CLIENT, "iat": now, "exp": now + 600, "nonce": nonces["code"], **PERSON}
            token = jwt.encode({"alg": "RS256", "kid": "1"}, claims, key)
            self._answer({"access_token": "x", "token_type": "Bearer", "expires_in": 600, "id_token": token})

        def _answer(self, said: object) -> None:
            body = json.dumps(said).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *told: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    address = f"http://127.0.0.1:{server.server_port}"
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield address
    finally:
        server.shutdown()
        server.server_close()
