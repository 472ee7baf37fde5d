// EspalierTraining: module contents follow.
