"""Prompts are many, different, and the same on every machine."""

from __future__ import annotations

import hashlib
from collections import Counter

import pytest

from llmnet.engine import ModelFiles, Tokenizer
from llmnet.measure import honest_jobs, jobs_for, prompts
from llmnet.measure.plan import LONG_TOKENS, MAX_TOKENS, MOST_ANSWERS, MOST_DEEP, temperature_of


def test_prompts_differ_and_a_longer_list_begins_with_a_shorter() -> None:
    everything = prompts(MOST_ANSWERS)
    assert len({prompt.id for prompt in everything}) == MOST_ANSWERS
    assert len({prompt.messages for prompt in everything}) == MOST_ANSWERS
    assert prompts(10) == everything[:10]
    assert prompts(10, seed=1) != everything[:10]
    with pytest.raises(ValueError, match="2280"):
        prompts(MOST_ANSWERS + 1)
    with pytest.raises(ValueError, match="-1"):
        prompts(-1)


def test_prompts_are_those_that_were_measured() -> None:
    """Committed recordings name prompts by id: another text under the same id would make them lie."""
    text = "\n".join(
        f"{p.id} {[m.text for m in p.messages]}" for p in sorted(prompts(2280), key=lambda p: p.id)
    )
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == "eb3b21e87d9f74cc"


def test_honest_jobs_mix_temperatures_lengths_and_depths(tiny: ModelFiles) -> None:
    tokenizer = Tokenizer(tiny)
    jobs = honest_jobs(tokenizer, 200, long=10, deep=3)
    assert len({job.id for job in jobs}) == len({job.request_seed for job in jobs}) == 213
    assert Counter(job.max_tokens for job in jobs) == {MAX_TOKENS: 203, LONG_TOKENS: 10}
    mix = Counter(job.temperature for job in jobs)
    assert set(mix) == {0, 179, 256, 384} and 100 < mix[256] < 160
    assert all(job.temperature == temperature_of(job.id) for job in jobs)
    deep = [len(job.prompt_ids) for job in jobs if job.id.startswith("deep/")]
    assert min(deep) > 5 * max(len(job.prompt_ids) for job in jobs[:200])
    assert honest_jobs(tokenizer, 20, long=0, deep=0) == jobs[:20]
    with pytest.raises(ValueError, match="2280"):
        honest_jobs(tokenizer, 2281)
    with pytest.raises(ValueError, match="2280"):
        honest_jobs(tokenizer, 1, deep=MOST_DEEP + 1)


def test_a_job_asks_what_the_prompt_says(tiny: ModelFiles) -> None:
    tokenizer = Tokenizer(tiny)
    prompt = prompts(1)[0]
    (job,) = jobs_for([prompt], tokenizer, temperature=179, max_tokens=4)
    assert job.prompt_ids == tuple(tokenizer.encode_chat(list(prompt.messages)))
    assert (job.id, job.temperature, job.max_tokens, len(job.request_seed)) == (prompt.id, 179, 4, 32)
