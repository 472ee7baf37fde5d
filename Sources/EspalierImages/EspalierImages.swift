// EspalierImages: module contents follow.
