"""Vectors of sampling, self-consistency and the reference margin."""

from __future__ import annotations

from dataclasses import replace

from llmnet.proof.gumbel import gumbel_noise
from llmnet.proof.leaf import Candidate, Leaf
from llmnet.proof.sampler import Margin, looked_at, margin, sample, scores, self_consistent, well_formed
from llmnet.proof.service import Calibration, ServiceSpec

from .form import Case, VectorFile, case, unique
from .source import Source, won

TEMPERATURES = (0, 1, 26, 128, 179, 256, 512, 65535)


def sampling() -> VectorFile:
    """Scores and winners."""
    source = Source("sampling")
    rows: list[tuple[list[int], list[int]]] = [
        ([0], [0]),
        ([-5, -5, -5], [1, 2, 3]),
        ([-5, -5, -5], [3, 2, 1]),
        ([-32767, -32767], [7, 4_294_967_295]),
        ([0, -32767], [49151, 0]),
        ([-200] * 32, list(range(32))),
    ]
    for _ in range(6):
        pairs = source.candidates(source.random.randint(1, 32), 49152)
        rows.append(([pair.logprob for pair in pairs], [pair.id for pair in pairs]))
    cases = []
    for logprobs, ids in rows:
        for temperature in [*source.random.sample(TEMPERATURES, 4), 0]:
            seed, position = source.hash(), source.uint(32)
            given = {
                "logprobs": logprobs,
                "ids": ids,
                "temperature": temperature,
                "request_seed": seed,
                "position": position,
            }
            winner = sample(logprobs, ids, temperature, seed, position)
            out = {
                "noise": gumbel_noise(seed, position, ids).tolist(),
                "scores": scores(logprobs, ids, temperature, seed, position).tolist(),
                "winner": winner,
                "token": ids[winner],
            }
            cases.append(case(given, out))
    about = "noise and score (Q16.16) of each candidate; `winner` is an index, `token` the id there"
    return VectorFile("sampling", about, cases)


def self_consistency() -> VectorFile:
    """Leaves that are and are not what their own candidates say."""
    source = Source("self_consistency")
    cases = []
    for top_k in (1, 2, 5, 8):
        for temperature in (0, 256):
            spec, seed = source.spec(top_k, 300), source.hash()
            leaf = source.leaf(source.uint(12), top_k, 300, seed, temperature)
            cases += [
                _consistency(bent, spec, seed, temperature)
                for bent in dict.fromkeys((leaf, *_bend(leaf, seed, temperature)))
            ]
    return VectorFile(
        "self_consistency",
        "form of a leaf for a spec with this top_k and vocab_size, and whether its token is its winner",
        cases,
    )


def _bend(leaf: Leaf, seed: bytes, temperature: int) -> list[Leaf]:
    """Dishonest versions of a leaf; where a token is not the point, it is the winner."""
    pairs = leaf.candidates
    first, last = pairs[0], pairs[-1]
    other = next((pair.id for pair in pairs if pair.id != leaf.token), 299)
    tables = [
        pairs[:-1],
        (*pairs, Candidate(299, -32767)),
        (*pairs[:-1], Candidate(300, last.logprob)),
        (*pairs[:-1], Candidate(last.id, -32768)),
        (*pairs[:-1], Candidate(last.id, -32767)),
        (Candidate(first.id, 0), *pairs[1:]),
    ]
    if len(pairs) > 1:
        tables += [(*pairs[:-1], first), pairs[::-1], (pairs[1], pairs[0], *pairs[2:])]
        tied = sorted((first.id, pairs[1].id))
        tables += [tuple(Candidate(i, 0) for i in order) + pairs[2:] for order in (tied, tied[::-1])]
    leaves = [
        won(replace(leaf, candidates=table), seed, temperature) if table else replace(leaf, candidates=table)
        for table in tables
    ]
    positive = replace(leaf, candidates=(Candidate(first.id, 1), *pairs[1:]), token=first.id)
    return [
        *leaves,
        positive,
        replace(leaf, token=other),
        replace(leaf, token=4_294_967_295),
        replace(leaf, position=leaf.position + 1),
    ]


def _consistency(leaf: Leaf, spec: ServiceSpec, seed: bytes, temperature: int) -> Case:
    given = {
        "leaf": leaf.encode(),
        "top_k": spec.top_k,
        "vocab_size": spec.vocab_size,
        "temperature": temperature,
        "request_seed": seed,
    }
    out = {
        "well_formed": well_formed(leaf, spec),
        "self_consistent": self_consistent(leaf, spec, seed, temperature),
    }
    return case(given, out)


def margins() -> VectorFile:
    """Worker tokens against references."""
    source = Source("margin")
    cases = []
    for top_k in (2, 4, 5, 6, 12):
        for temperature in (0, 77, 256, 512):
            seed = source.hash()
            spec = source.spec(top_k, 1000)
            reference = source.leaf(source.uint(10), top_k, 1000, seed, temperature)
            for token in _tokens(source, reference, top_k):
                pairs = source.candidates(top_k, 1000)
                if source.random.random() < 0.8:
                    pairs = reference.candidates
                leaf = replace(reference, token=token, candidates=pairs)
                cases.append(
                    _margin(
                        leaf,
                        reference,
                        spec,
                        source.random.choice([0, 1311, 16384, 1 << 20]),
                        seed,
                        temperature,
                    )
                )
            cases.append(
                _stranger(
                    source, reference, spec, rank=looked_at(top_k) - 1, seed=seed, temperature=temperature
                )
            )
            cases.append(
                _stranger(source, reference, spec, rank=top_k - 1, seed=seed, temperature=temperature)
            )
    return VectorFile(
        "margin",
        "how the token of `leaf` stands in `reference`: hit, miss or not_counted",
        unique(_at_limit(source) + _at_cut(source) + cases),
    )


def _tokens(source: Source, reference: Leaf, top_k: int) -> list[int]:
    ids = [pair.id for pair in reference.candidates]
    middle = ids[looked_at(top_k) - 1]
    return [reference.token, middle, ids[-1], source.random.choice(ids)]


def _stranger(
    source: Source, reference: Leaf, spec: ServiceSpec, rank: int, seed: bytes, temperature: int
) -> Case:
    """A token that the reference does not know, at one rank of the worker's own leaf."""
    known = {pair.id for pair in reference.candidates}
    strange = next(i for i in range(1000) if i not in known)
    pairs = [Candidate(pair.id, pair.logprob) for pair in reference.candidates]
    pairs[rank] = Candidate(strange, pairs[rank].logprob)
    leaf = replace(reference, token=strange, candidates=tuple(pairs))
    return _margin(leaf, reference, spec, source.random.choice([1311, 1 << 20]), seed, temperature)


def _at_limit(source: Source) -> list[Case]:
    """Deficits exactly at and one above the tolerance."""
    spec, seed = source.spec(8, 1000), source.hash()
    greedy = Leaf(3, 11, tuple(Candidate(10 + i, -10 * i) for i in range(8)), (0,) * 8, (0,) * 8)
    return [_margin(greedy, greedy, spec, tau, seed, 0) for tau in (2559, 2560, 2561)]


def _at_cut(source: Source) -> list[Case]:
    """At the last four ranks and below: deficits exactly at and around the slack, and the tolerance above it."""
    spec, seed = source.spec(8, 1000), source.hash()
    greedy = Leaf(3, 10, tuple(Candidate(10 + i, -64 * i) for i in range(8)), (0,) * 8, (0,) * 8)
    tokens = (13, 14, 15, 17, 99)
    taus = (0, 16383, 16384, 49151, 49152)
    return [
        _margin(replace(greedy, token=token), greedy, spec, tau, seed, 0) for token in tokens for tau in taus
    ]


def _margin(
    leaf: Leaf, reference: Leaf, spec: ServiceSpec, tau_sample: int, seed: bytes, temperature: int
) -> Case:
    given = {
        "leaf": leaf.encode(),
        "reference": reference.encode(),
        "top_k": spec.top_k,
        "tau_sample": tau_sample,
        "temperature": temperature,
        "request_seed": seed,
    }
    row = Calibration(0, 0, 0, 0, tau_sample, 0, 0)
    result: Margin = margin(leaf, reference, spec, row, seed, temperature)
    return case(given, {"margin": result})


def files() -> list[VectorFile]:
    """All files of this module."""
    return [sampling(), self_consistency(), margins()]
