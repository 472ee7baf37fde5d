// EspalierGraph: module contents follow.
