"""What `connections.toml` says of an MQTT connection."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

from connectors.options import OptionReader
from plant.connection import Connection
from plant.errors import InvalidInput

_SCHEMES = {"mqtt": 1883, "mqtts": 8883}


@dataclass(frozen=True)
class MqttOptions:
    """Options of an MQTT connection.

    Attributes
    ----------
    prefix
        Topics are ``{prefix}/{machine}/{state|count|condition}``; everything below the prefix is ours.
    client_id
        Names our session at the broker; two processes must not share it.
    tls, ca
        Endpoint scheme ``mqtts``: the broker's certificate is verified, against `ca` or the system's authorities.
    keepalive_s
        Wall seconds without traffic after which the connection is probed.
    buffer
        Messages held here; more wait at the broker.
    """

    host: str
    port: int
    tls: bool
    prefix: str
    client_id: str
    username: str | None
    password: str | None
    ca: str | None
    keepalive_s: int
    timeout_s: float
    buffer: int
    max_payload_bytes: int

    @staticmethod
    def read(connection: Connection, endpoint: str | None = None) -> tuple[MqttOptions, list[str]]:
        """Return the options and everything that is wrong with them."""
        take = OptionReader(connection, endpoint)
        scheme, host, port = take.address(_SCHEMES)
        name, password = take.account()
        options = MqttOptions(
            host=host,
            port=port,
            tls=scheme == "mqtts",
            prefix=take.text("prefix"),
            client_id=take.text("client_id", f"forerun-{connection.id}"),
            username=take.optional("username") or name,
            password=take.secret("password_env") or password,
            ca=take.optional("ca"),
            keepalive_s=take.whole("keepalive_s", 30, 1, 3600),
            timeout_s=take.number("timeout_s", 5, 0.1, 60),
            buffer=take.whole("buffer", 1000, 1, 100_000),
            max_payload_bytes=take.whole("max_payload_bytes", 65_536, 256, 16_777_216),
        )
        options._check(take)
        return options, take.finish()

    def _check(self, take: OptionReader) -> None:
        if any(sign in self.prefix for sign in "#+\0") or self.prefix.strip("/") != self.prefix:
            take.problem("prefix", f"must be a topic without #, + and outer /, not {self.prefix!r}")
        if self.ca is not None and not self.tls:
            take.problem("ca", "has no effect without TLS; use an endpoint mqtts://host:port or remove it")
        if self.ca is not None and not Path(self.ca).is_file():
            take.problem("ca", f"names {self.ca!r}, which does not exist")
        if self.password is not None and self.username is None:
            take.problem("password_env", "needs a username")

    def tls_context(self) -> ssl.SSLContext:
        """Return the context that verifies the broker's certificate and name.

        Raises
        ------
        InvalidInput
            When the authorities' file cannot be read.
        """
        try:
            return ssl.create_default_context(cafile=self.ca)
        except (OSError, ssl.SSLError) as error:
            raise InvalidInput(f"options.ca: {self.ca} is not a file of certificates in PEM format: {error}") from error
