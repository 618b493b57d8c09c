"""A proxy between a requester and a worker that turns one digit of every receipt."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Self

MARK = b'"receipt": "'
DIGIT = 150  # in the output hash: the receipt still decodes


class EvilProxy:
    """Listens at `url`; what a worker at `port` streams comes out changed, everything else as it is."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._tasks: set[asyncio.Task[None]] = set()
        self.turned = 0
        self.url = ""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            await asyncio.gather(self._pass(reader, inner_writer), self._turn(inner_reader, writer))
        finally:
            inner_writer.close()
            writer.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(1 << 16):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def _turn(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(1 << 16):  # the worker writes an event in one piece
                at = data.find(MARK)
                if at >= 0:
                    self.turned += 1
                    place = at + len(MARK) + DIGIT
                    data = (
                        data[:place] + (b"0" if data[place : place + 1] != b"0" else b"1") + data[place + 1 :]
                    )
                writer.write(data)
                await writer.drain()
        writer.close()
