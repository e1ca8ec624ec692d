"""Forms with which a content destination is connected, and how it is reached."""

from __future__ import annotations

from wtforms import BooleanField, FileField, Form, PasswordField, StringField

_LONGEST_HOST = 300


def _stripped(text: str | None) -> str:
    return (text or "").strip()


def _bounded(text: str | None) -> str:
    return _stripped(text)[:_LONGEST_HOST]


class ProxyForm(Form):
    """The proxy that a destination is reached through; no address for none. What is wrong with it, the rules say."""

    proxy_address = StringField(filters=[_bounded])
    proxy_user = StringField(filters=[_bounded])
    #: Never sent back; empty keeps the one that is known for this address and name.
    proxy_password = PasswordField()


class ConnectForm(ProxyForm):
    """A connection file to connect to, and what a person allows for it."""

    file = FileField()
    #: Plain HTTP to another machine, for development.
    allow_http = BooleanField()
    #: A machine other than the destination's own, at which it stores; confirmed by name.
    storage_host = StringField(filters=[_bounded])
