// EspalierCheckpoints: module contents follow.
