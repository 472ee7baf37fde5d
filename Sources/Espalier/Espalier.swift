// `import Espalier` gives the whole library to programs that embed training or generation, so every module below is
// exported; a program that wants one of them imports that one.
@_exported public import EspalierCheckpoints
@_exported public import EspalierDatasets
@_exported public import EspalierGraph
@_exported public import EspalierHost
@_exported public import EspalierImages
@_exported public import EspalierModels
@_exported public import EspalierPipelines
@_exported public import EspalierPresets
@_exported public import EspalierTensors
@_exported public import EspalierTokenizers
@_exported public import EspalierTraining
