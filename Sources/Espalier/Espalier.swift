// Espalier: module contents follow.
