"""deploy/ fits the repository and itself: what the image copies is there and let in, and guards are on each service."""

from __future__ import annotations

import re
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"


def _copied() -> list[str]:
    lines = re.findall(r"^COPY (?!--from)(.+) \S+$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    return [name for line in lines for name in line.split()]


def test_what_the_image_copies_is_there_and_not_ignored() -> None:
    rules = [
        line for line in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines() if line[:1] not in ("", "#")
    ]
    assert rules[0] == "*"
    let_in = [rule[1:] for rule in rules if rule.startswith("!")]
    assert len(_copied()) > 5
    for name in _copied():
        assert (ROOT / name).exists(), name
        assert any(rule == name or rule.startswith(f"{name}/") for rule in let_in), name
    # Of Streamlit's folder the settings alone: its secrets must not get into an image.
    assert not any(fnmatch(".streamlit/secrets.toml", rule) for rule in let_in)


def test_every_service_is_read_only_and_without_rights() -> None:
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    assert set(services) == {"dashboard-1", "dashboard-2", "proxy"}
    for service in services.values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert "no-new-privileges:true" in service["security_opt"]
    for name in ("dashboard-1", "dashboard-2"):
        assert "ports" not in services[name], "reached by way of the proxy only"
        assert services[name]["environment"]["ECGKT_LOGIN"] == "required"
        assert services[name]["healthcheck"]["test"][-1] in (DEPLOY / "Dockerfile").read_text()
        assert f"server {name}:8501;" in (DEPLOY / "nginx.conf").read_text()
    assert re.search(r"^USER 10001:10001$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)


def test_the_example_of_secrets_has_what_a_login_needs() -> None:
    auth = tomllib.loads((DEPLOY / "secrets.example.toml").read_text())["auth"]
    assert {"redirect_uri", "cookie_secret", "client_id", "client_secret", "server_metadata_url"} == set(auth)
    assert auth["redirect_uri"].endswith("/oauth2callback")
