"""Connection files that break a rule."""

from __future__ import annotations

from .base import BodywornError


class ConnectionFileRefused(BodywornError):
    """Base of everything that makes a connection file unusable; nothing of such a file is kept."""

    id = "connection-file-refused"
    sentence = "The connection file cannot be used."
    mend = "Export a new connection file at the content destination and upload that."


class ConnectionFileTooLarge(ConnectionFileRefused):
    id = "connection-file-too-large"
    sentence = "The connection file is larger than {limit_bytes} bytes."
    mend = "Check that this is the file that the content destination exported."


class ConnectionFileNotJson(ConnectionFileRefused):
    id = "connection-file-not-json"
    sentence = "The connection file is not a JSON object: {reason}."
    mend = "Check that this is the file that the content destination exported, unchanged."


class ConnectionFileVersionUnknown(ConnectionFileRefused):
    id = "connection-file-version-unknown"
    sentence = "The connection file has version {version}; this system understands version {known}."
    mend = "Update this system, or export a connection file of version {known}."


class ConnectionFieldMissing(ConnectionFileRefused):
    id = "connection-field-missing"
    sentence = "{field} is missing from the connection file, or empty."


class ConnectionFieldOfWrongType(ConnectionFileRefused):
    id = "connection-field-of-wrong-type"
    sentence = "{field} in the connection file is not {expected}."


class ConnectionFieldTooLong(ConnectionFileRefused):
    id = "connection-field-too-long"
    sentence = "{field} in the connection file is longer than {limit} characters."


class ConnectionFieldHasControlCharacters(ConnectionFileRefused):
    id = "connection-field-has-control-characters"
    sentence = "{field} in the connection file contains characters that cannot be shown or sent."


class ConnectionFieldNotBase64(ConnectionFileRefused):
    id = "connection-field-not-base64"
    sentence = "{field} in the connection file is not base64 text."


class ConnectionFieldNotAChoice(ConnectionFileRefused):
    id = "connection-field-not-a-choice"
    sentence = "{field} in the connection file is none of the values that this system knows: {choices}."


class ConnectionListTooLong(ConnectionFileRefused):
    id = "connection-list-too-long"
    sentence = "{field} in the connection file lists more than {limit} entries."


class ConnectionAddressRefused(ConnectionFileRefused):
    id = "connection-address-refused"
    sentence = "{field} in the connection file is not an address that can be used: {reason}."


class ConnectionCertificateMissing(ConnectionFileRefused):
    id = "connection-certificate-missing"
    sentence = "{field} is an https address, but HTTPSCertificate holds no certificate to recognise it by."
    mend = "Export a connection file that contains the destination's certificate."


class ConnectionCertificateUnreadable(ConnectionFileRefused):
    id = "connection-certificate-unreadable"
    sentence = "{field} in the connection file is not a certificate that can be read."


class ConnectionUnprotected(ConnectionFileRefused):
    """Plain HTTP to another machine; a person has to say that this is wanted."""

    id = "connection-unprotected"
    sentence = "{field} is a plain http address: recordings and the API key would travel unprotected."
    mend = "Use https at the destination; plain http is for development and has to be allowed explicitly."


class ConnectionMixesHttp(ConnectionFileRefused):
    id = "connection-mixes-http"
    sentence = "{field} is a plain http address although HTTPSCertificate holds certificates."
    mend = "Export a connection file whose addresses all begin with https."


class ConnectionKeyMissing(ConnectionFileRefused):
    id = "connection-key-missing"
    sentence = "WantEncryption asks for encrypted recordings, but {field} is missing from the connection file."
    mend = "Export a connection file with the public key, or switch encryption off at a new destination."


class ConnectionKeyUnreadable(ConnectionFileRefused):
    id = "connection-key-unreadable"
    sentence = "PublicKey in the connection file is not an RSA public key that can be read."


class ConnectionKeyTooShort(ConnectionFileRefused):
    id = "connection-key-too-short"
    sentence = "PublicKey in the connection file has {bits} bits; at least {least_bits} are needed."
    mend = "Make a longer key pair at the destination and export a new connection file."


class ConnectionKeyWeak(BodywornError):
    """A warning, never raised: the file is accepted."""

    id = "connection-key-weak"
    sentence = "The destination's public key has {bits} bits; {advised_bits} or more are advised."
    mend = "Plan for a longer key pair at the destination."


class EncryptionTurnedOff(ConnectionFileRefused):
    id = "encryption-turned-off"
    sentence = "WantEncryption in the connection file would turn encryption off; once on, it stays on."
    mend = "Export a connection file with encryption, or set up a new system for a destination without it."


class FullStoreTurnedOff(ConnectionFileRefused):
    id = "full-store-turned-off"
    sentence = "FullStoreAndReadSupport in the connection file would be turned off; once on, it stays on."


class ContainerTypeChanged(ConnectionFileRefused):
    id = "container-type-changed"
    sentence = "ContainerType in the connection file changes from {before} to {after}; it cannot change."
