"""What panels and payers may fetch: the data of an audited answer, and the whole record of one's own answer."""

from __future__ import annotations

from typing import Any

from llmnet import proof
from llmnet.chain import ChainError
from llmnet.pallets.spot_checks import Audit, Stage

from .admission import Admission
from .errors import Conflict, NotFound, Unauthorised, Unavailable
from .ledger import ChainView
from .store import Answer, Store


def _hex(header: str | None, size: int, what: str) -> bytes:
    try:
        value = bytes.fromhex((header or "").removeprefix("0x"))
    except ValueError:
        value = b""
    if len(value) != size:
        raise Unauthorised("missing_credentials", f"the header {what} must be {size} bytes in hex")
    return value


class Doors:
    """Serves records to those whom they concern."""

    def __init__(self, account: bytes, chain: ChainView, store: Store, admission: Admission) -> None:
        self._account, self._chain, self._store, self._admission = account, chain, store, admission

    async def audit(self, number: int, account: str | None, signature: str | None) -> dict[str, Any]:
        """The data of an audit, for a validator on its panel. Raises ApiError."""
        return self._record(await self._audit(number, account, signature))

    async def leaves(self, number: int, account: str | None, signature: str | None) -> dict[str, Any]:
        """All leaves of a decided audit's answer, for its panel: before, they could be copied. Raises ApiError."""
        audit = await self._audit(number, account, signature)
        if audit.stage != Stage.DECIDED:
            raise Conflict("not_decided", f"audit {number} is not decided yet: ask when it is")
        _, _, answer = self._kept(audit.session, audit.index)
        if answer.leaves is None:
            raise NotFound(
                "leaves_dropped", f"the leaves of audit {number} were dropped after its settlement"
            )
        return {"leaves": proof.encode_leaves(answer.leaves).hex()}

    async def _audit(self, number: int, account: str | None, signature: str | None) -> Audit:
        who = self._checked(number.to_bytes(4, "little"), account, signature)
        try:
            audit = await self._chain.audit(number)
        except (ChainError, OSError) as error:
            raise Unavailable(
                "chain_unreachable", f"the chain cannot be reached: {error}", retry_after=3
            ) from None
        if audit is None or audit.worker != self._account:
            raise NotFound("unknown_audit", f"audit {number} does not exist or is not of this worker")
        panel = {member.validator for member in audit.panel}
        if who not in panel and not await self._acts_for(who, panel):
            raise Unauthorised("not_on_panel", f"this account is not on the panel of audit {number}")
        if audit.stage == Stage.DRAWN:
            raise Conflict("not_opened", f"the receipt of audit {number} is not open yet: ask when it is")
        return audit

    async def _acts_for(self, account: bytes, owners: set[bytes]) -> bool:
        """Validators may keep their stake under a cold key and work with a hot one."""
        try:
            return await self._chain.acts_for(account, owners)
        except (ChainError, OSError) as error:
            raise Unavailable(
                "chain_unreachable", f"the chain cannot be reached: {error}", retry_after=3
            ) from None

    def _record(self, audit: Audit) -> dict[str, Any]:
        request, signature, answer = self._kept(audit.session, audit.index)
        return {
            "request": request.hex(),
            "request_signature": signature.hex(),
            "tokens": list(answer.tokens),
            "text": answer.text,
            "receipt": answer.receipt.encode().hex(),
        }

    async def receipt(
        self, session: int, index: int, account: str | None, signature: str | None
    ) -> dict[str, Any]:
        """The whole record of an answer, for its payer. Raises ApiError."""
        who = self._checked(session.to_bytes(8, "little") + index.to_bytes(4, "little"), account, signature)
        found = await self._admission.session(session)
        if who != found.requester:
            raise Unauthorised("not_the_payer", f"this account does not pay for session {session}")
        request, request_signature, answer = self._kept(session, index)
        return {
            "request": request.hex(),
            "request_signature": request_signature.hex(),
            "receipt": answer.receipt.encode().hex(),
            "receipt_signature": answer.signature.hex(),
            "tokens": list(answer.tokens),
            "text": answer.text,
            "price": str(answer.price),
            "leaves": None if answer.leaves is None else proof.encode_leaves(answer.leaves).hex(),
        }

    def _checked(self, payload: bytes, account: str | None, signature: str | None) -> bytes:
        who = _hex(account, 32, "x-llmnet-account")
        signed = _hex(signature, 64, "x-llmnet-signature")
        if not proof.verify_signature(who, signed, "fetch", self._chain.genesis_hash, payload):
            raise Unauthorised(
                "bad_signature", "x-llmnet-signature is not this account's over what is asked for"
            )
        return who

    def _kept(self, session: int, index: int) -> tuple[bytes, bytes, Answer]:
        request, answer = self._store.request(session, index), self._store.answer(session, index)
        if request is None or answer is None:
            raise NotFound("unknown_answer", f"this worker has no answer {index} of session {session}")
        return request[0].encode(), request[1], answer
