// EspalierPipelines: module contents follow.
