"""`llmnet receipts`, `llmnet explain`, `llmnet verify`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .command import Context, command
from .output import FAILED, OK, emit, note, say, table
from .values import parse_answer

if TYPE_CHECKING:
    from llmnet.gateway import Bundle
    from llmnet.proof import Receipt
    from llmnet.verifier.verify import ChainFacts

Which = Annotated[str, typer.Argument(metavar="RECEIPT", help="A receipt file, or SESSION/INDEX.")]


def add(app: typer.Typer) -> None:
    """Registers the commands."""

    @command(app, "receipts", help="The answers that were received, with their receipt files.")
    async def receipts(
        context: Context,
        fetch: Annotated[
            str | None,
            typer.Option(metavar="SESSION/INDEX", help="Fetch the leaves of an answer into its file."),
        ] = None,
    ) -> None:
        async with context.requester() as (_, requester):
            if fetch is not None:
                bundle = await requester.fetch_leaves(*parse_answer(fetch))
                path = requester.receipt_path(bundle.session, bundle.index)
                say(f"{path} has the leaves of all {len(bundle.leaves or ())} tokens")
                return
            rows = [_row(stored, requester) for stored in requester.store.requests()]
        if context.json:
            emit(rows)
        else:
            _show(rows)

    @command(app, "explain", help="The story of an answer, told from the chain.")
    async def explain(context: Context, receipt: Which) -> None:
        from llmnet.gateway.explain import explain as tell
        from llmnet.gateway.story import narrate

        if not _is_file(receipt):
            parse_answer(receipt)
        async with context.client() as client:
            session, index, bundle = await _found(context, client, receipt)
            facts = await tell(client, session, index, bundle)
        if context.json:
            emit(facts)
        else:
            say("\n".join(narrate(facts)))

    @command(app, "verify", help="Check an answer again, offline, with the reference model on this machine.")
    async def verify(
        context: Context,
        receipt: Which,
        model: Annotated[
            Path | None, typer.Option(metavar="DIR", help="Model directory (default: SmolLM2-135M-Instruct).")
        ] = None,
        *,
        chain: Annotated[
            bool, typer.Option("--chain", help="Compare what the file says about the chain with the chain.")
        ] = False,
    ) -> int:
        from llmnet.verifier.bundle import load_bundle, parse_bundle
        from llmnet.verifier.verify import verify_bundle

        if _is_file(receipt):
            bundle = load_bundle(receipt)
        else:
            async with context.requester() as (_, requester):
                bundle = parse_bundle((await requester.fetch_leaves(*parse_answer(receipt))).to_json())
        facts = await _facts(context, bundle.session, bundle.material.receipt) if chain else None
        report = verify_bundle(bundle, _model(model), facts)
        if context.json:
            emit(report.to_json())
        else:
            say(report.table())
        if bundle.leaves is None:
            note(
                f"the file has no leaves; its payer gets them with `llmnet receipts --fetch {bundle.session}/{bundle.index}`"
            )
        return OK if report.ok else FAILED


async def _facts(context: Context, number: int, receipt: Receipt) -> ChainFacts:
    """What the chain says about an answer."""
    from llmnet import proof
    from llmnet.pallets import registry, sessions
    from llmnet.verifier.verify import ChainFacts

    async with context.client() as client:
        view = client.at()
        session = await sessions.session(view, number)
        if session is None:
            note(f"the chain has forgotten session {number}: only the chain's identity is compared")
            return ChainFacts(genesis_hash=client.genesis_hash)
        return ChainFacts(
            genesis_hash=client.genesis_hash,
            session_seed=session.seed,
            requester=session.requester,
            worker=session.worker,
            spec=await registry.spec(view, session.spec_id),
            calibration=await registry.calibration(view, session.spec_id),
            price=proof.price(receipt.n_prompt, receipt.n_out, session.price_in, session.price_out),
        )


def _is_file(text: str) -> bool:
    return Path(text).is_file()


async def _found(context: Context, client: Any, receipt: str) -> tuple[int, int, Bundle | None]:
    """Session and index, and the receipt file if this machine has it."""
    from llmnet.gateway import Bundle, BundleError, GatewayError, account_folder

    from .config import ConfigError

    if _is_file(receipt):
        bundle = Bundle.load(Path(receipt))
        if bundle.genesis_hash != client.genesis_hash:
            raise GatewayError(
                f"the receipt is of the chain {bundle.genesis_hash.hex()[:16]}…, the node serves "
                f"{client.genesis_hash.hex()[:16]}…: pass the --node of its chain"
            )
        return bundle.session, bundle.index, bundle
    session, index = parse_answer(receipt)
    try:
        folder = account_folder(context.settings.home_dir, client.genesis_hash, context.signer().public)
        return session, index, Bundle.load(folder / "receipts" / f"{session}-{index}.json")
    except (ConfigError, BundleError):
        return session, index, None  # anybody's answer can be explained, with what the chain knows


def _model(path: Path | None) -> Any:
    from llmnet.engine import ensure_default_model, load_model_dir

    return ensure_default_model() if path is None else load_model_dir(path)


def _row(stored: Any, requester: Any) -> dict[str, object]:
    session, index = stored.request.session, stored.request.index
    path = requester.receipt_path(session, index)
    return {
        "session": session,
        "index": index,
        "state": stored.state.value,
        "question": stored.request.messages[-1].text,
        "text": stored.text,
        "price": None if stored.price is None else str(stored.price),
        "path": str(path) if path.exists() else None,
    }


def _show(rows: list[dict[str, object]]) -> None:
    from llmnet.gateway.amounts import tokens

    if not rows:
        note("no answer was received yet: `llmnet ask` asks")
        return
    cells = [
        (
            f"{row['session']}/{row['index']}",
            str(row["state"]),
            "" if row["price"] is None else tokens(int(str(row["price"]))),
            _short(str(row["question"])),
            _short(str(row["text"] or "")),
        )
        for row in rows
    ]
    table("Receipts", ("answer", "state", "price", "question", "text"), cells, right=("price",))


def _short(text: str, width: int = 48) -> str:
    line = " ".join(text.split())
    return line if len(line) <= width else line[: width - 1] + "…"
