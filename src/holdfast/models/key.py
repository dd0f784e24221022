"""A provider's key that shows only its last characters, and itself in nothing but the one header it is for."""

import os
from typing import Any, NoReturn

from holdfast.core.errors import UsageError

# Four characters tell keys apart; of a key shorter than this they would give too much away.
SHOWN = 4
SHOWN_OF = 16


class Key:
    """A key from the environment. It cannot be printed, copied or serialised; `header` is what is sent."""

    __slots__ = ("__secret",)

    def __init__(self, secret: str) -> None:
        self.__secret = secret

    @classmethod
    def from_env(cls, name: str | None) -> "Key | None":
        """Return the key in the variable `name`, None without a name. Raises `UsageError` where it holds no key."""
        if name is None:
            return None
        secret = os.environ.get(name, "").strip()
        if not secret:
            raise UsageError(f"The environment variable {name} is not set: it is to hold a key.", f"export {name}=...")
        if not secret.isascii() or not secret.isprintable() or " " in secret:
            raise UsageError(f"The environment variable {name} holds characters that no key has.", f"export {name}=...")
        return cls(secret)

    def header(self) -> str:
        """Return the value of the Authorization header."""
        return f"Bearer {self.__secret}"

    def scrub(self, data: bytes) -> bytes:
        """Return data with the key replaced: endpoints repeat it in their error messages."""
        return data.replace(self.__secret.encode(), b"[key]")

    def __repr__(self) -> str:
        return f"Key(...{self.__secret[-SHOWN:] if len(self.__secret) >= SHOWN_OF else ''})"

    def __format__(self, spec: str) -> str:
        return format(repr(self), spec)

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError(f"{self!r} is neither copied nor serialised")
