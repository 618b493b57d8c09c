"""Answers of models on this machine beside their reference, recorded: what calibration, red team and simulation look at.

Prompts      prompts(count, seed=...) -> [Prompt(id, messages)]
Recordings   Job(id, prompt_ids, request_seed, temperature, max_tokens);  answer(engine, jobs) -> leaves by id
             Recording(id, prompt_ids, request_seed, temperature, leaves, reference)
             RecordingFile(path): append(recording), ids(), iteration; survives being cut off in mid line
             record(path, engine, reference, jobs, progress): what is missing in the file, answered and appended
Honest       honest_jobs(tokenizer, answers): what a class is measured with; record_honest(path, files, spec, answers)
             record_again(path, files, spec, ids, rounds): the same questions again, with other seeds
Evidence     evidence(recording, spec) -> [Point(logit, hidden, deficit, consistent)], one a position
             observe(recording, spec) -> Observation, observe_all(file, spec, ...) -> Observed: as calibration reads it
"""

from __future__ import annotations

from llmnet.measure.errors import BadRecording, MeasureError
from llmnet.measure.evidence import Point, evidence
from llmnet.measure.observing import machine_in_words, observe, observe_all
from llmnet.measure.plan import honest_jobs, record_again, record_honest
from llmnet.measure.prompts import Prompt, prompts
from llmnet.measure.recording import Recording, RecordingFile
from llmnet.measure.running import Job, answer, jobs_for, record

__all__ = [
    "BadRecording",
    "Job",
    "MeasureError",
    "Point",
    "Prompt",
    "Recording",
    "RecordingFile",
    "answer",
    "evidence",
    "honest_jobs",
    "jobs_for",
    "machine_in_words",
    "observe",
    "observe_all",
    "prompts",
    "record",
    "record_again",
    "record_honest",
]
