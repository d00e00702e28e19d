"""Makes certificates for the tests, fresh for each run: nothing of them is kept."""

import datetime
import ipaddress
import os

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _now():
    return datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)


class Authority:
    """A root that issues certificates of servers and clients, and revokes them."""

    def __init__(self, folder, name):
        self.folder = folder
        self.name = _name(name)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self._sign(
            x509.CertificateBuilder().subject_name(self.name).public_key(self.key.public_key()), days=30, authority=True
        )
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    def _sign(self, builder, days, authority=False):
        return (
            builder.issuer_name(self.name)
            .serial_number(x509.random_serial_number())
            .not_valid_before(_now() - datetime.timedelta(days=40))
            .not_valid_after(_now() + datetime.timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .sign(self.key, hashes.SHA256())
        )

    def issue(self, name, client=False, days=30, password=None):
        """Writes NAME.chain.pem and NAME.key.pem and returns the certificate."""
        key = ec.generate_private_key(ec.SECP256R1())
        usage = ExtendedKeyUsageOID.CLIENT_AUTH if client else ExtendedKeyUsageOID.SERVER_AUTH
        certificate = self._sign(
            x509.CertificateBuilder()
            .subject_name(_name(name))
            .public_key(key.public_key())
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(
                x509.SubjectAlternativeName(
                    [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
                ),
                critical=False,
            ),
            days,
        )
        secrecy = (
            serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
        )
        replace(self.folder / f"{name}.chain.pem", certificate.public_bytes(serialization.Encoding.PEM))
        replace(
            self.folder / f"{name}.key.pem",
            key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, secrecy),
        )
        return certificate

    def pair(self, name):
        return str(self.folder / f"{name}.chain.pem"), str(self.folder / f"{name}.key.pem")

    def revocations(self, *certificates):
        """A revocation list as PEM."""
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.name)
            .last_update(_now() - datetime.timedelta(days=1))
            .next_update(_now() + datetime.timedelta(days=1))
        )
        for certificate in certificates:
            builder = builder.add_revoked_certificate(
                x509.RevokedCertificateBuilder()
                .serial_number(certificate.serial_number)
                .revocation_date(_now() - datetime.timedelta(hours=1))
                .build()
            )
        return builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def replace(path, content):
    """As a careful operator does: whole, and readable by its owner only."""
    draft = path.with_suffix(".draft")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
    os.replace(draft, path)
