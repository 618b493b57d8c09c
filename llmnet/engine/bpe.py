"""Writes `tokenizer.json` for the vocabulary of a GGUF file.

The file names the way in which text is cut before merging (`tokenizer.ggml.pre`); the rules themselves are part of
each model's definition and are written out here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from llmnet.engine.errors import UnsupportedModelError
from llmnet.engine.files import write_json

_CONTROL_TOKEN, _USER_TOKEN = 3, 4
# Contractions, words with one leading mark, numbers, other marks, line ends, spaces.
_WORDS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|%s| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
DIGITS = "smollm"
_PATTERNS = {"qwen2": _WORDS % r"\p{N}", "llama-bpe": _WORDS % r"\p{N}{1,3}"}
_SAME = {"default": DIGITS, "gpt-2": "gpt-2", "llama3": "llama-bpe", "llama-v3": "llama-bpe"}


def write_gguf_tokenizer(fields: dict[str, Any], destination: Path) -> None:
    """From a GGUF file's metadata. Raises `UnsupportedModelError` for a rule that is not known."""
    tokens, kinds = fields["tokenizer.ggml.tokens"], fields["tokenizer.ggml.token_type"]
    named = fields.get("tokenizer.ggml.pre", DIGITS)
    rule = _SAME.get(named, named)
    if rule not in (DIGITS, "gpt-2", *_PATTERNS):
        raise UnsupportedModelError(f"text is cut by the rule {named!r}, which is not known")
    write_tokenizer(
        destination,
        {token: index for index, token in enumerate(tokens)},
        [merge_pair(line) for line in fields["tokenizer.ggml.merges"]],
        [token for token, kind in zip(tokens, kinds, strict=True) if kind == _CONTROL_TOKEN],
        [token for token, kind in zip(tokens, kinds, strict=True) if kind == _USER_TOKEN],
        rule=rule,
    )


def merge_pair(line: str) -> tuple[str, str]:
    """One line of a BPE merge list."""
    left, _, right = line.partition(" ")
    return left, right


def write_tokenizer(
    destination: Path,
    vocab: dict[str, int],
    merges: list[tuple[str, str]],
    special: list[str],
    whole: list[str] | None = None,
    *,
    rule: str = DIGITS,
) -> None:
    """Write `tokenizer.json` (GPT-2 byte-level BPE) and the small file that transformers wants beside it.

    `whole`: tokens that are never cut but are no special tokens either; `rule`: how text is cut.
    """
    from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers

    unknown = "<|endoftext|>" if rule == DIGITS else None
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=merges, unk_token=unknown))
    tokenizer.pre_tokenizer = _cutter(rule)
    if rule == "qwen2":
        tokenizer.normalizer = normalizers.NFC()
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in special])
    tokenizer.add_tokens([AddedToken(token, special=False, normalized=False) for token in whole or []])
    tokenizer.save(str(destination / "tokenizer.json"))
    write_json(
        destination / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "bos_token": "<|im_start|>",
            "eos_token": "<|im_end|>",
            "unk_token": "<|endoftext|>",
            "pad_token": "<|im_end|>",
            "clean_up_tokenization_spaces": False,
        },
    )


def _cutter(rule: str) -> Any:
    from tokenizers import Regex, pre_tokenizers

    if rule in _PATTERNS:
        return pre_tokenizers.Sequence(
            [
                pre_tokenizers.Split(Regex(_PATTERNS[rule]), behavior="isolated"),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
            ]
        )
    cut = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    if rule == DIGITS:
        return pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), cut])
    return cut
