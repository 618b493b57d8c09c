mod agenda;
mod batches;
mod equivocation;
mod stages;
mod verdicts;
mod walks;
mod workshop;
