"""Certificates of the lab: an own authority, and the mistakes that real ones have."""

from __future__ import annotations

import ipaddress
import ssl
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from spnego.channel_bindings import GssChannelBindings

from hvtui.lab.endpoint.node import Tls

_HOUR: Final = timedelta(hours=1)
_LIFE: Final = timedelta(days=7)


@dataclass(frozen=True)
class Certificate:
    """A server's certificate and key, PEM."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    def tls(self) -> Tls:
        """The server side of TLS with this certificate, and the binding that log-ons over it carry (RFC 5929)."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        # ssl reads certificates from files only.
        with tempfile.TemporaryDirectory(prefix="hvtui-lab-") as folder:
            chain = Path(folder) / "server.pem"
            chain.write_bytes(_pem(self.key) + self.certificate.public_bytes(serialization.Encoding.PEM))
            context.load_cert_chain(chain)
        fingerprint = self.certificate.fingerprint(hashes.SHA256())
        return Tls(context, GssChannelBindings(application_data=b"tls-server-end-point:" + fingerprint))


class Authority:
    """A certificate authority that lives as long as the lab. Another instance is a wrong one for its clients."""

    def __init__(self, name: str = "hvtui lab authority") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.now(UTC)
        public = self._key.public_key()
        self._certificate = (
            x509.CertificateBuilder()
            .subject_name(self._name)
            .issuer_name(self._name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            # It was there before its oldest, expired certificate.
            .not_valid_before(now - 3 * _LIFE)
            .not_valid_after(now + 3 * _LIFE)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(authority=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .sign(self._key, hashes.SHA256())
        )

    @property
    def pem(self) -> bytes:
        """The authority's certificate, for a client's list of trusted ones."""
        return self._certificate.public_bytes(serialization.Encoding.PEM)

    def issue(self, *, address: str = "127.0.0.1", expired: bool = False) -> Certificate:
        """A server certificate for an address; `expired` ended an hour ago."""
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.now(UTC)
        start, end = (now - _LIFE, now - _HOUR) if expired else (now - _HOUR, now + _LIFE)
        try:
            subject: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(address))
        except ValueError:
            subject = x509.DNSName(address)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, address)]))
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(end)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([subject]), critical=False)
            .add_extension(_usage(authority=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        return Certificate(certificate, key)


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
