"""A certificate authority for tests, made of the openssl command."""

from __future__ import annotations

import base64
import json
import math
import shutil
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

from tests.kafka.broker import UnavailableError

_CONFIGURATION = """
[ca]
default_ca = authority
[authority]
database = {folder}/index.txt
new_certs_dir = {folder}
serial = {folder}/serial
certificate = {folder}/ca.pem
private_key = {folder}/ca.key
default_md = sha256
policy = policy
unique_subject = no
[policy]
commonName = supplied
"""


class Certified(NamedTuple):
    """A certificate with its key, as PEM files; ``store`` holds both, as Kafka reads them."""

    certificate: Path
    key: Path
    store: Path


def openssl(*arguments: str | Path, stdin: bytes | None = None) -> bytes:
    """Run openssl and return what it prints."""
    if shutil.which("openssl") is None:
        raise UnavailableError("there is no openssl to make certificates with")
    done = subprocess.run(
        ["openssl", *map(str, arguments)], input=stdin, capture_output=True, timeout=30, check=False
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


class Authority:
    """Signs certificates. ``file`` is its own."""

    def __init__(self, folder: Path, name: str) -> None:
        folder.mkdir()
        self._folder = folder
        self.file = folder / "ca.pem"
        openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "7",
            "-keyout", folder / "ca.key", "-out", self.file, "-subj", f"/CN={name}",
        )  # fmt: skip
        (folder / "index.txt").touch()
        (folder / "serial").write_text("01")
        (folder / "ca.conf").write_text(_CONFIGURATION.format(folder=folder))
        self._count = 0

    def certify(
        self, name: str, *alternatives: str, expired: bool = False, key_password: str | None = None
    ) -> Certified:
        """Return a new certificate for a common name and alternative names (``DNS:localhost``), with a new key."""
        self._count += 1
        stem = self._folder / f"{self._count}-{name}"
        key, request, signed, store = (Path(f"{stem}.{kind}") for kind in ("key", "csr", "pem", "store"))
        openssl(
            "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", key, "-out", request, "-subj", f"/CN={name}",
        )  # fmt: skip
        extensions = Path(f"{stem}.ext")
        extensions.write_text(f"subjectAltName={','.join(alternatives)}\n" if alternatives else "\n")
        now = time.time()
        begin, end = (now - 7_200, now - 3_600) if expired else (now - 3_600, now + 86_400)
        openssl(
            "ca", "-batch", "-notext", "-config", self._folder / "ca.conf", "-in", request, "-out", signed,
            "-startdate", _asn1(begin), "-enddate", _asn1(end), "-extfile", extensions,
        )  # fmt: skip
        store.write_bytes(key.read_bytes() + signed.read_bytes())
        if key_password is not None:
            plain = key.read_bytes()
            key.write_bytes(
                openssl("pkcs8", "-topk8", "-v2", "aes256", "-passout", f"pass:{key_password}", stdin=plain)
            )
        return Certified(signed, key, store)


def _asn1(at_s: float) -> str:
    return time.strftime("%Y%m%d%H%M%SZ", time.gmtime(at_s))


class TokenSigner:
    """Signs JSON Web Tokens (RS256); ``jwks`` is the file of its public key."""

    def __init__(self, folder: Path) -> None:
        self._key = folder / "tokens.key"
        openssl("genrsa", "-out", self._key, "2048")
        modulus = openssl("rsa", "-in", self._key, "-noout", "-modulus").decode().strip().removeprefix("Modulus=")
        public = {
            "kty": "RSA",
            "alg": "RS256",
            "use": "sig",
            "kid": "1",
            "e": "AQAB",
            "n": _url(bytes.fromhex(modulus)),
        }
        self.jwks = folder / "jwks.json"
        self.jwks.write_text(json.dumps({"keys": [public]}))

    def token(self, subject: str, lifetime_s: float) -> str:
        """Return a token that names a subject and ends after some seconds."""
        now = time.time()
        claims = {"sub": subject, "scope": "kafka", "iat": int(now), "exp": math.ceil(now + lifetime_s)}
        head = {"alg": "RS256", "typ": "JWT", "kid": "1"}
        signed = ".".join(_url(json.dumps(part).encode()) for part in (head, claims))
        signature = openssl("dgst", "-sha256", "-sign", self._key, stdin=signed.encode())
        return f"{signed}.{_url(signature)}"


def _url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
