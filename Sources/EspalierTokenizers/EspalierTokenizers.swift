// EspalierTokenizers: module contents follow.
