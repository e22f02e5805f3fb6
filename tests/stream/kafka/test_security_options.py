"""The files of certificates and keys: those that cannot be read or used are named, before anything is sent."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from monitor.config.settings.security import SecuritySettings
from monitor.errors import ConfigError
from monitor.installation import security_options
from tests.kafka.broker import UnavailableError
from tests.kafka.certificates import Authority, Certified


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    try:
        return Authority(tmp_path_factory.mktemp("files") / "authority", "The authority")
    except UnavailableError as reason:
        pytest.skip(str(reason))


def options(certified: Certified | None = None, **security: str) -> object:
    if certified is not None:
        security |= {"certificate_file": str(certified.certificate), "key_file": str(certified.key)}
    return security_options(SecuritySettings.model_validate({"protocol": "SSL", **security}))["ssl_context"]


def told(certified: Certified | None = None, **security: str) -> str:
    with pytest.raises(ConfigError) as refused:
        options(certified, **security)
    (mistake,) = refused.value.mistakes
    return str(mistake)


def test_a_certificate_with_its_key_and_an_authority_are_taken(authority: Authority) -> None:
    context = options(authority.certify("worker"), ca_file=str(authority.file))

    assert isinstance(context, ssl.SSLContext)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.cert_store_stats()["x509"] == 1


def test_an_encrypted_key_is_opened_with_its_password_alone(authority: Authority) -> None:
    one = authority.certify("worker", key_password="its own")

    options(one, key_password="its own")
    assert told(one, key_password="another") == (
        f"settings: security.key_password: does not open {one.key} (it is another key's password)"
    )
    assert told(one) == (
        f"settings: security.key_password: is missing: {one.key} is encrypted (set SLA_MONITOR_SECURITY_KEY_PASSWORD)"
    )


def test_a_file_that_cannot_be_read_is_named(authority: Authority, tmp_path: Path) -> None:
    one, gone = authority.certify("worker"), tmp_path / "gone.pem"

    assert told(ca_file=str(gone)) == f"settings: security.ca_file: cannot be read: {gone}: No such file or directory"
    assert told(one._replace(certificate=gone)) == (
        f"settings: security.certificate_file: cannot be read: {gone}: No such file or directory"
    )
    assert (
        told(one._replace(key=tmp_path)) == f"settings: security.key_file: cannot be read: {tmp_path}: Is a directory"
    )


def test_a_file_of_another_kind_is_named(authority: Authority) -> None:
    one, other = authority.certify("worker"), authority.certify("other")

    assert told(ca_file=str(one.key)) == f"settings: security.ca_file: holds no certificates in PEM: {one.key}"
    assert told(one._replace(certificate=one.key)) == (
        f"settings: security.certificate_file: holds no certificate in PEM: {one.key}"
    )
    assert told(one._replace(key=one.certificate)) == (
        f"settings: security.key_file: holds no key in PEM that OpenSSL can use: {one.certificate}"
    )
    assert told(one._replace(key=other.key)) == (
        f"settings: security.key_file: is not the key of {one.certificate}: {other.key}"
    )


def test_a_certificate_that_has_ended_is_named(authority: Authority) -> None:
    one = authority.certify("worker", expired=True)

    assert told(one).startswith("settings: security.certificate_file: has expired on 20")
    assert str(one.certificate) in told(one)


def test_the_authorities_of_the_system_count_without_a_file() -> None:
    assert isinstance(options(), ssl.SSLContext)


def test_the_file_of_the_token_endpoints_authority_is_named(tmp_path: Path) -> None:
    gone = str(tmp_path / "gone.pem")
    security = {
        "protocol": "SASL_SSL", "mechanism": "OAUTHBEARER", "token_endpoint": "https://tokens.example/t",
        "client_id": "monitor", "client_secret": "s", "token_ca_file": gone,
    }  # fmt: skip

    with pytest.raises(ConfigError, match=f"security.token_ca_file: cannot be read: {gone}"):
        security_options(SecuritySettings.model_validate(security))
