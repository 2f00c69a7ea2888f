"""What `connections.toml` says of an OPC UA connection, and the security it asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from asyncua import Client, ua
from asyncua.crypto import security_policies
from asyncua.crypto.truststore import TrustStore
from asyncua.crypto.validator import CertificateValidator, CertificateValidatorOptions

from connectors.options import OptionReader
from plant.connection import Connection
from plant.errors import InvalidInput
from plant.reading import Signal

NONE = "none"
POLICIES = {
    "Basic256Sha256": security_policies.SecurityPolicyBasic256Sha256,
    "Aes128Sha256RsaOaep": security_policies.SecurityPolicyAes128Sha256RsaOaep,
    "Aes256Sha256RsaPss": security_policies.SecurityPolicyAes256Sha256RsaPss,
}
_FILES = ("certificate", "private_key", "trust", "revoked")


@dataclass(frozen=True)
class OpcUaOptions:
    """Options of an OPC UA connection.

    Attributes
    ----------
    namespace
        URI of the namespace the nodes live in; its index is looked up at each opening.
    node
        Pattern of the string node ids, with ``{machine}`` and ``{signal}``.
    security
        ``"none"`` or the name of a security policy; there is no default and no fall-back.
    certificate, private_key, trust, revoked
        Our certificate and key (PEM or DER), the folder of certificates we trust, and the one of revocation lists.
    queue_size
        Values the server keeps per node between two publications.
    publishing_ms
        How often the server publishes, in wall milliseconds.
    silence_s
        Wall seconds without a notification or keep-alive after which the connection counts as lost.
    audit_s
        Wall seconds between two comparisons of the subscription with values read directly.
    timeout_s
        Wall seconds a request may take.
    """

    endpoint: str
    namespace: str
    node: str
    security: str
    mode: str
    certificate: str | None
    private_key: str | None
    trust: str | None
    revoked: str | None
    username: str | None
    password: str | None
    signals: tuple[Signal, ...]
    queue_size: int
    publishing_ms: float
    silence_s: float
    audit_s: float
    timeout_s: float

    @staticmethod
    def read(connection: Connection, endpoint: str | None = None) -> tuple[OpcUaOptions, list[str]]:
        """Return the options and everything that is wrong with them."""
        take = OptionReader(connection, endpoint)
        _, host, port = take.address({"opc.tcp": 4840})
        options = OpcUaOptions(
            endpoint=f"opc.tcp://{host}:{port}",
            namespace=take.text("namespace"),
            node=take.text("node", "{machine}.{signal}"),
            security=take.text("security", choices=(NONE, *POLICIES)),
            mode=take.text("mode", "SignAndEncrypt", ("Sign", "SignAndEncrypt")),
            certificate=take.optional("certificate"),
            private_key=take.optional("private_key"),
            trust=take.optional("trust"),
            revoked=take.optional("revoked"),
            username=take.optional("username"),
            password=take.secret("password_env"),
            signals=tuple(Signal(name) for name in take.texts("signals", list(Signal), list(Signal))),
            queue_size=take.whole("queue_size", 1000, 100, 100_000),
            publishing_ms=take.number("publishing_ms", 100, 10, 60_000),
            silence_s=take.number("silence_s", 5, 0.5, 3600),
            audit_s=take.number("audit_s", 10, 0.2, 3600),
            timeout_s=take.number("timeout_s", 4, 0.1, 60),
        )
        options._check(take)
        return options, take.finish()

    def node_id(self, machine: str, signal: Signal) -> str:
        """Return the string identifier of a signal's node."""
        return self.node.replace("{machine}", machine).replace("{signal}", signal)

    def _check(self, take: OptionReader) -> None:
        if "{machine}" not in self.node or "{signal}" not in self.node:
            take.problem("node", f"must hold {{machine}} and {{signal}}, not {self.node!r}")
        if self.security == NONE:
            for key in _FILES:
                if getattr(self, key) is not None:
                    take.problem(key, f"has no effect with security = {NONE!r}; name a security policy or remove it")
            return
        for key in ("certificate", "private_key", "trust"):
            if self.security and getattr(self, key) is None:
                take.problem(key, f"is needed with security = {self.security!r}: nobody is trusted by default")
        for key in _FILES:
            path = getattr(self, key)
            if path is not None and not Path(path).exists():
                take.problem(key, f"names {path!r}, which does not exist")


async def secure(client: Client, options: OpcUaOptions) -> None:
    """Set the client's security as the options say; with certificates the server's is always verified.

    Raises
    ------
    InvalidInput
        When a certificate or key file cannot be read.
    """
    if options.username is not None:
        client.set_user(options.username)
        client.set_password(options.password or "")
    if options.security == NONE:
        return
    assert options.certificate is not None
    assert options.private_key is not None
    assert options.trust is not None
    try:
        client.certificate_validator = await _validator(Path(options.trust), _folders(options.revoked))
        policy, mode = POLICIES[options.security], getattr(ua.MessageSecurityMode, options.mode)
        await client.set_security(policy, options.certificate, options.private_key, mode=mode)
    except (ValueError, FileNotFoundError, PermissionError) as error:
        raise InvalidInput(
            f"{options.endpoint}: its certificates cannot be used: {error}; check certificate, private_key and trust"
        ) from error


async def _validator(trust: Path, revoked: Sequence[Path]) -> CertificateValidator:
    store = TrustStore([trust], list(revoked))
    await store.load()
    checks = CertificateValidatorOptions.TRUSTED_VALIDATION | CertificateValidatorOptions.PEER_SERVER
    return CertificateValidator(checks, store)


def _folders(path: str | None) -> list[Path]:
    return [] if path is None else [Path(path)]
