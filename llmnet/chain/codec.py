"""Encode and decode by type id of one registry."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from llmnet.chain.decoder import DecoderCompiler
from llmnet.chain.encoder import EncoderCompiler
from llmnet.chain.errors import DecodeError, EncodeError
from llmnet.chain.registry import TypeRegistry
from llmnet.chain.values import Call


class TypeCodec:
    """Functions are compiled at the first use of a type and kept. `check_call`: see `EncoderCompiler`."""

    def __init__(
        self,
        types: TypeRegistry,
        decoders: DecoderCompiler | None = None,
        check_call: Callable[[Call], None] | None = None,
    ) -> None:
        self.types = types
        self._decoders = DecoderCompiler(types) if decoders is None else decoders
        self._encoders = EncoderCompiler(types, check_call)

    def encode(self, type_id: int, value: Any) -> bytes:
        """Raises EncodeError with the path of the value that does not fit."""
        out = bytearray()
        try:
            self._encoders.get(type_id)(value, out)
        except RecursionError:
            raise EncodeError("value is nested too deep") from None
        return bytes(out)

    def decode(self, type_id: int, data: bytes) -> Any:
        """Decodes all of `data`. Raises DecodeError; left-over bytes are an error."""
        value, pos = self.decode_at(type_id, data, 0)
        if pos != len(data):
            raise DecodeError(f"{self.types.name(type_id)}: {len(data) - pos} bytes too many")
        return value

    def decode_at(self, type_id: int, data: bytes, pos: int) -> tuple[Any, int]:
        """(value, position after it)."""
        try:
            return self._decoders.get(type_id)(data, pos)
        except DecodeError as error:
            raise DecodeError(f"{self.types.name(type_id)}: {error}") from None
        except (IndexError, struct.error):
            raise DecodeError(f"{self.types.name(type_id)}: cut off at {len(data)} bytes") from None
        except UnicodeDecodeError:
            raise DecodeError(f"{self.types.name(type_id)}: text is not UTF-8") from None
        except RecursionError:
            raise DecodeError(f"{self.types.name(type_id)}: nested too deep") from None
