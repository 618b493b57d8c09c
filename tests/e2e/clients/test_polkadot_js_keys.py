"""polkadot-js and we derive the same keys, open each other's key files and accept each other's signatures (`keys.mjs`)."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from llmnet.chain import Keypair, verify
from llmnet.chain.curves import SCHEMES
from llmnet.chain.uris import DEV_PHRASE

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.node_js,
    pytest.mark.skipif(
        not (shutil.which("node") and shutil.which("npm")), reason="node or npm is not installed"
    ),
]
PASSWORD = "correct horse \N{BATTERY}"
MESSAGE = b"<Bytes>hello</Bytes>"
PATHS = ["", "//Alice", "//Alice//stash", "//0", "//18446744073709551615", "//a//b//c"]
PATHS += ["//a-name-that-is-longer-than-thirty-two-bytes-long", f"{DEV_PHRASE}//x///pass word"]
PATHS += ["0x" + "07" * 32, "0x" + "07" * 32 + "//hard"]
SOFT = ["/soft", "//hard/soft/3", "//Alice/a-name-that-is-longer-than-thirty-two-bytes-long"]


def uris(scheme: str) -> list[str]:
    paths = PATHS + SOFT * (scheme == "sr25519")
    return [path if path.startswith(("0x", DEV_PHRASE)) else DEV_PHRASE + path for path in paths]


@pytest.fixture(scope="module")
def asked() -> dict[str, list[dict[str, str]]]:
    pairs = {name: Keypair.from_uri("//Alice", name) for name in SCHEMES}
    return {
        "derive": [{"uri": uri, "type": name} for name in SCHEMES for uri in uris(name)],
        "open": [{"json": pair.to_json(PASSWORD, "mine"), "password": PASSWORD} for pair in pairs.values()],
        "seal": [{"uri": f"{DEV_PHRASE}//Bob", "type": name, "password": PASSWORD} for name in SCHEMES],
        "sign": [
            {"uri": f"{DEV_PHRASE}//Bob", "type": name, "message": "0x" + MESSAGE.hex()} for name in SCHEMES
        ],
        "verify": [
            {
                "message": "0x" + message.hex(),
                "signature": "0x" + pair.sign(MESSAGE).hex(),
                "address": pair.address,
            }
            for pair in pairs.values()
            for message in (MESSAGE, b"another")
        ],
    }


@pytest.fixture(scope="module")
def told(js_project: Path, asked: dict[str, Any]) -> dict[str, Any]:
    done = subprocess.run(
        ["node", "keys.mjs"],
        cwd=js_project,
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answers: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answers


def test_uris_of_all_schemes_derive_the_same_keys(asked: dict[str, Any], told: dict[str, Any]) -> None:
    ours = [Keypair.from_uri(one["uri"], one["type"]) for one in asked["derive"]]
    assert [(pair.scheme.name, "0x" + pair.public.hex(), pair.address) for pair in ours] == [
        (pair["type"], pair["publicKey"], pair["address"]) for pair in told["derive"]
    ]


def test_our_key_files_open_there(told: dict[str, Any]) -> None:
    for name, opened in zip(SCHEMES, told["open"], strict=True):
        pair = Keypair.from_uri("//Alice", name)
        assert (opened["type"], opened["address"], opened["name"]) == (name, pair.address, "mine")
        assert opened["publicKey"] == "0x" + pair.public.hex()


def test_their_key_files_open_here_and_sign(told: dict[str, Any]) -> None:
    for name, text in zip(SCHEMES, told["seal"], strict=True):
        pair = Keypair.from_json(text, lambda: PASSWORD)
        assert (pair.scheme.name, pair.public) == (name, Keypair.from_uri("//Bob", name).public)
        assert verify(pair.public, b"x", pair.sign(b"x"), name)


def test_signatures_are_accepted_both_ways(told: dict[str, Any]) -> None:
    assert told["verify"] == [True, False] * len(SCHEMES)
    for name, signature in zip(SCHEMES, told["sign"], strict=True):
        raw = bytes.fromhex(signature[2:])
        assert verify(Keypair.from_uri("//Bob", name).public, MESSAGE, raw, name)
        assert not verify(Keypair.from_uri("//Bob", name).public, b"another", raw, name)
