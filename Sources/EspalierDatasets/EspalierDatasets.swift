// EspalierDatasets: module contents follow.
