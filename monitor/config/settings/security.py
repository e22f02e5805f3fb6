"""The settings of the connection to the brokers: TLS, SASL and access tokens, and which of them belong together."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from monitor.config.reading.secrets import Secret
from monitor.config.reading.shape import Shape, Text, wrong


def _token_endpoint(value: str) -> str:
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.scheme not in ("https", "http") or parts.username is not None or parts.fragment:
        raise wrong("is no address of a token endpoint", "write https://host/path, without user and password")
    if parts.scheme == "http" and host not in ("localhost", "127.0.0.1", "::1"):
        raise wrong("would send the client's secret unencrypted", "write https://; http:// is for this machine only")
    return value


TokenEndpoint = Annotated[Text, AfterValidator(_token_endpoint)]


class SecuritySettings(Shape):
    """How the brokers are reached: TLS and SASL."""

    quotes_values: ClassVar[bool] = False
    protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        default="PLAINTEXT", description="Protocol of the brokers' listener."
    )
    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"] | None = Field(
        default=None, description="SASL mechanism."
    )
    username: Text | None = Field(default=None, description="SASL user.")
    password: Secret | None = Field(
        default=None, description="SASL password; better in the environment than in a file."
    )
    token_endpoint: TokenEndpoint | None = Field(
        default=None, description="OAUTHBEARER: where access tokens are fetched with client credentials."
    )
    client_id: Text | None = Field(default=None, description="OAUTHBEARER: the monitor's id at the token endpoint.")
    client_secret: Secret | None = Field(default=None, description="OAUTHBEARER: the secret of that id.")
    scope: Text | None = Field(default=None, description="OAUTHBEARER: scopes to ask for, separated by spaces.")
    token_ca_file: Text | None = Field(
        default=None, description="OAUTHBEARER: certificates that the token endpoint is checked against."
    )
    ca_file: Text | None = Field(default=None, description="Certificates that the brokers are checked against.")
    certificate_file: Text | None = Field(default=None, description="The monitor's own certificate.")
    key_file: Text | None = Field(default=None, description="Key of the monitor's own certificate.")
    key_password: Secret | None = Field(default=None, description="Password of that key.")

    @model_validator(mode="after")
    def _complete(self) -> SecuritySettings:
        allowed = _fields_used(self.protocol, self.mechanism)
        unused = [name for name in type(self).model_fields if name not in allowed and getattr(self, name) is not None]
        if unused:
            # What is not used is not sent: who wrote it believes in a protection that is not there.
            with_mechanism = f" with {self.mechanism}" if "mechanism" in allowed and self.mechanism else ""
            hint = "remove it" if self.protocol != "PLAINTEXT" else "write protocol: SASL_SSL, or SSL, or remove it"
            raise wrong(f"{self.protocol}{with_mechanism} does not use {', '.join(unused)}", hint)
        if self.protocol.startswith("SASL"):
            needed = ("token_endpoint", "client_id", "client_secret") if self.mechanism == "OAUTHBEARER" else _LOGIN
            lacking = [name for name in ("mechanism", *needed) if getattr(self, name) is None]
            if lacking:
                raise wrong(f"{self.protocol} needs {', '.join(lacking)}")
        if (self.certificate_file is None) != (self.key_file is None):
            raise wrong("certificate_file and key_file need each other")
        if self.key_password is not None and self.key_file is None:
            raise wrong("key_password needs key_file")
        return self


_LOGIN: Final = ("username", "password")
_TLS: Final = ("ca_file", "certificate_file", "key_file", "key_password")
_TOKEN: Final = ("token_endpoint", "client_id", "client_secret", "scope", "token_ca_file")


def _fields_used(protocol: str, mechanism: str | None) -> set[str]:
    """Return the security settings that a protocol and a mechanism make use of."""
    used = {"protocol"}
    if protocol.startswith("SASL"):
        used |= {"mechanism", *(_TOKEN if mechanism == "OAUTHBEARER" else _LOGIN)}
    if protocol.endswith("SSL"):
        used |= set(_TLS)
    return used
