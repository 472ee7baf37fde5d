// EspalierPluginKit: module contents follow.
