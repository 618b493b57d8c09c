"""The validator as a whole, started and stopped together."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from llmnet.chain import Client, Signer, enter_life, own_key, watch_life
from llmnet.engine.weights import ModelFiles
from llmnet.pallets.staking import StakeRole, ensure_bond

from .auditor import Auditor
from .challenges import Challenges
from .clock import Clock
from .config import ValidatorConfig
from .duties import Duties
from .fetch import Fetcher, make_http
from .ledger import ClientLedger
from .library import Library
from .store import Store

log = logging.getLogger(__name__)


class Validator:
    """Checks what workers answered, with the models of this machine."""

    def __init__(
        self, config: ValidatorConfig, client: Client, signer: Signer, models: Sequence[ModelFiles]
    ) -> None:
        self.config, self._client, self._signer = config, client, signer
        self._library = Library(models, provider=config.provider, threads=config.threads)

    async def serve(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set.

        Raises BondError, StoreError, ReferenceFailed or ChainError before any duty is taken up, WrongChain or BegunAnew later.
        """
        await self._library.warm()
        store = Store(self.config.store, genesis_hash=self._client.genesis_hash, account=self._signer.account)
        try:
            await ensure_bond(self._client, self._signer, StakeRole.VALIDATOR, self.config.bond)
            # After the bond: on a chain without a block its transaction makes the first.
            await self._work(store, await enter_life(self._client, store), stop)
        finally:
            store.close()

    async def _work(self, store: Store, first_block: bytes, stop: asyncio.Event) -> None:
        config, ledger, clock = self.config, ClientLedger(self._client, self._signer), Clock()
        async with make_http() as http:
            auditor = Auditor(
                ledger,
                store,
                Fetcher(http, own_key(self._signer), self._client.genesis_hash),
                self._library,
                clock,
                max_fetches=config.max_fetches,
                report_before=config.report_before,
                looks=config.looks,
            )
            duties = Duties(
                ledger,
                store,
                auditor,
                clock,
                challenges=Challenges(ledger, store, auditor, clock),
                beacon=config.beacon,
                keep_blocks=config.keep_blocks,
            )
            log.info("validating as %s", self._signer.account.hex())
            parts = [
                asyncio.create_task(duties.run(), name="duties"),
                asyncio.create_task(watch_life(self._client, first_block), name="life"),
            ]
            waiting = asyncio.create_task(stop.wait())
            try:
                done, _ = await asyncio.wait({*parts, waiting}, return_when=asyncio.FIRST_COMPLETED)
                for task in done - {waiting}:
                    task.result()  # they end only by a fault: show it
            finally:
                for task in (*parts, waiting):
                    task.cancel()
                await asyncio.gather(*parts, waiting, return_exceptions=True)
                await duties.close()
