"""`llmnet ask`: a question, a checked answer, a voucher."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from .command import Context, command
from .output import emit, note, say
from .values import parse_account, parse_amount

if TYPE_CHECKING:
    from llmnet.gateway import AnswerRecord, Requester
    from llmnet.proof import Message


def add(app: typer.Typer) -> None:
    """Registers the command."""

    @command(app, "ask", help="Ask a question; `-` reads it from standard input.")
    async def ask(
        context: Context,
        question: Annotated[str, typer.Argument(help="What to ask.")],
        *,
        session: Annotated[int | None, typer.Option(min=0, help="Use this session.")] = None,
        new_session: Annotated[bool, typer.Option("--new-session", help="Open another session.")] = False,
        worker: Annotated[str | None, typer.Option(metavar="ACCOUNT", help="Ask this worker.")] = None,
        model: Annotated[
            str | None, typer.Option(metavar="NAME", help="Ask for this model, by name or id.")
        ] = None,
        max_tokens: Annotated[int, typer.Option(min=1, help="Longest answer.")] = 256,
        temperature: Annotated[
            float, typer.Option(min=0, max=255, help="0 takes the likeliest token.")
        ] = 0.2,
        system: Annotated[str | None, typer.Option(metavar="TEXT", help="System message.")] = None,
        stop: Annotated[
            list[str] | None, typer.Option(metavar="TEXT", help="End the answer at this text.")
        ] = None,
        escrow: Annotated[str, typer.Option(metavar="TOKENS", help="Put into a new session.")] = "1",
        blocks: Annotated[int, typer.Option(min=1, help="A new session lasts this long.")] = 3600,
        no_stream: Annotated[
            bool, typer.Option("--no-stream", help="Print the answer when it is checked.")
        ] = False,
        no_report: Annotated[
            bool, typer.Option("--no-report", help="Do not report a worker that has equivocated.")
        ] = False,
    ) -> int:
        plan = Plan(
            messages=messages_of(question, system),
            session=session,
            new_session=new_session,
            worker=None if worker is None else parse_account(worker),
            model=model,
            max_tokens=max_tokens,
            temperature=temperature,
            stop=tuple(stop or ()),
            escrow=parse_amount(escrow),
            blocks=blocks,
        )
        async with context.requester() as (_, requester):
            requester.reports = not no_report
            stream = not (no_stream or context.json)
            answer = await answered(requester, plan, stream=stream)
            if context.json:
                emit(as_json(answer))
            elif not stream:
                say(answer.text)
            return 0


class Plan:
    """What was asked for on the command line."""

    def __init__(
        self,
        *,
        messages: list[Message],
        session: int | None,
        new_session: bool,
        worker: bytes | None,
        model: str | None,
        max_tokens: int,
        temperature: float,
        stop: tuple[str, ...],
        escrow: int,
        blocks: int,
    ) -> None:
        from .config import ConfigError

        if session is not None and (new_session or worker is not None or model is not None):
            raise ConfigError(
                "--session names worker and model already: leave --new-session, --worker and --model away"
            )
        self.messages, self.session, self.new_session, self.worker = messages, session, new_session, worker
        self.model, self.max_tokens, self.temperature, self.stop = model, max_tokens, temperature, stop
        self.escrow, self.blocks = escrow, blocks


def messages_of(question: str, system: str | None) -> list[Message]:
    """The conversation of a question."""
    from llmnet.proof import Message, Role

    from .config import ConfigError

    text = sys.stdin.read() if question == "-" else question
    if not text.strip():
        raise ConfigError("the question is empty")
    try:
        said = [] if system is None else [Message.of(Role.SYSTEM, system)]
        return [*said, Message.of(Role.USER, text)]
    except (UnicodeEncodeError, ValueError) as error:
        raise ConfigError(f"the question cannot be sent: {error}") from None


async def answered(requester: Requester, plan: Plan, *, stream: bool) -> AnswerRecord:
    """Choose or open the session, wait for its seed, ask. A session that turns out to be over is replaced once."""
    from llmnet.gateway import SessionOver

    number = await choose_session(requester, plan)
    try:
        return await ask_in(requester, plan, number, stream=stream)
    except SessionOver as error:
        if plan.session is not None or plan.new_session:
            raise
        note(f"{error}; opening another session")
        plan.new_session = True
        return await ask_in(requester, plan, await choose_session(requester, plan), stream=stream)


async def choose_session(requester: Requester, plan: Plan) -> int:
    """The session to ask in, ready with its seed."""
    from llmnet.gateway.amounts import tokens

    number, fresh = plan.session, False
    if number is None and plan.new_session:
        fresh = True
        number = await requester.open_session(
            plan.worker, model=plan.model, escrow=plan.escrow, expires_in=plan.blocks
        )
    elif number is None:
        number, fresh = await requester.ensure_session(
            plan.messages,
            plan.max_tokens,
            model=plan.model,
            worker=plan.worker,
            escrow=plan.escrow,
            expires_in=plan.blocks,
        )
    if fresh:
        found = await requester.ledger.session(number)
        put_in = "" if found is None else f" with {tokens(found.escrow)} tokens in escrow"
        note(f"opened session {number}{put_in}; its seed comes from the beacon")
    await requester.wait_for_seed(number, note)
    return number


async def ask_in(requester: Requester, plan: Plan, number: int, *, stream: bool) -> AnswerRecord:
    """Ask, print as it comes, then say what it cost."""
    from llmnet.chain import ss58_encode
    from llmnet.gateway.amounts import tokens

    shown = False

    def show(text: str) -> None:
        nonlocal shown
        shown = True
        say(text, end="")

    try:
        answer = await requester.ask(
            number,
            plan.messages,
            max_tokens=plan.max_tokens,
            temperature=plan.temperature,
            stop=plan.stop,
            on_text=show if stream else None,
        )
    finally:
        if shown:
            say()
    receipt = answer.receipt
    note(
        f"answer {number}/{answer.index} of {ss58_encode(answer.worker)}: {receipt.n_prompt} + {receipt.n_out} tokens, "
        f"{tokens(answer.price)} tokens paid, receipt checked: {answer.path}"
    )
    return answer


def as_json(answer: AnswerRecord) -> dict[str, object]:
    """The answer for machines; price in plancks."""
    receipt = answer.receipt
    return {
        "session": answer.session,
        "index": answer.index,
        "text": answer.text,
        "price": str(answer.price),
        "prompt_tokens": receipt.n_prompt,
        "completion_tokens": receipt.n_out,
        "finish": receipt.finish.name.lower(),
        "worker": "0x" + answer.worker.hex(),
        "receipt_hash": "0x" + receipt.hash.hex(),
        "path": str(answer.path),
    }
