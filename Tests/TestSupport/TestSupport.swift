// Shared test support follows.
