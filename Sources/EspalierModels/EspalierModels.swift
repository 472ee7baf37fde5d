// EspalierModels: module contents follow.
