"""Prints the entries of the stores that standard input names, by cryptography of Python."""

import hashlib
import sys

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12


def shown(certificate):
    der = certificate.public_bytes(serialization.Encoding.DER)
    return hashlib.sha256(der).hexdigest()[:16]


def public(key):
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def name(entry):
    return entry.friendly_name.decode() if entry.friendly_name else "-"


def read(file, password):
    with open(file, "rb") as opened:
        store = pkcs12.load_pkcs12(opened.read(), password.encode())
    others = [entry for entry in store.additional_certs]
    if store.key is None:
        return [f"trusted {name(entry)} {shown(entry.certificate)}" for entry in others]
    named = [f"other {name(entry)} {shown(entry.certificate)}" for entry in others if entry.friendly_name]
    chain = [store.cert.certificate] + [entry.certificate for entry in others if not entry.friendly_name]
    belongs = public(store.key.public_key()) == public(chain[0].public_key())
    return [f"{'key' if belongs else 'wrong-key'} {name(store.cert)} {','.join(map(shown, chain))}"] + named


for line in sys.stdin:
    file, _, password = line.rstrip("\n").split("\t")
    try:
        lines = sorted(read(file, password))
    except ValueError:
        lines = ["refused"]
    for entry in lines:
        print(f"{file}: {entry}")
