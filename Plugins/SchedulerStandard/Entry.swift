// Entry point follows.
