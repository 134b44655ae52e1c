"""Training and evaluation of a stage: trainer, optimiser, schedules, callbacks, checkpoints, run
directories, stage entry."""
