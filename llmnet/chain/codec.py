"""Encode and decode by type id of one registry."""

from __future__ import annotations

import struct
from typing import Any

from llmnet.chain.decoder import DecoderCompiler
from llmnet.chain.encoder import EncoderCompiler
from llmnet.chain.errors import DecodeError, EncodeError
from llmnet.chain.registry import TypeRegistry


class TypeCodec:
    """Functions are compiled at the first use of a type and kept."""

    def __init__(self, types: TypeRegistry) -> None:
        self.types = types
        self._decoders, self._encoders = DecoderCompiler(types), EncoderCompiler(types)

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
