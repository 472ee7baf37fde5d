// EspalierHost: module contents follow.
