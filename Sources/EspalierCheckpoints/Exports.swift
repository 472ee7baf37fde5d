@_exported public import EspalierText
