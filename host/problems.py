"""What keeps this host from running, in sentences for whoever starts it."""

from __future__ import annotations


class HostProblem(Exception):
    """Base: its text is the sentence."""


class ForeignSchema(HostProblem):
    """Raised when ``host.db`` was written by another version of the host."""


class AddressTaken(HostProblem):
    """Raised when the host cannot listen where it should."""


class CertificateUnusable(HostProblem):
    """Raised when nobody could connect with a certificate and its key."""


class UnfitPassword(HostProblem):
    """Raised when the password that was given for ``root`` may not be one."""


class AlreadyServed(HostProblem):
    """Raised when another process serves the same data folder."""
