import EspalierCheckpoints
import EspalierHost
import EspalierModels
import EspalierTensors
import Foundation

extension RandomModel {
  /// Writes the folder beside its name and gives it the name when it is complete.
  ///
  /// Needs some 10 MiB of memory, whatever the model's size.
  ///
  /// - Parameters:
  ///   - path: A folder that does not exist, or is empty; those above it are made.
  ///   - report: Called before each component with its name and the size of its weights in bytes.
  ///   - isCancelled: Asked every few milliseconds whether to stop.
  /// - Throws: `PipelineError.folderNotEmpty`, `.diskSpace`, before anything is written; `.cancelled`; `FileError`.
  ///   Nothing is left behind.
  public func write(
    to path: String, _ options: Options,
    report: (_ component: String, _ byteCount: Int) -> Void = { _, _ in },
    isCancelled: @escaping () -> Bool = { false }
  ) throws {
    try NewFolder.write(to: path, byteCount: byteCount(options.dtype)) { folder in
      for file in files {
        let path = folder + "/" + file.path
        try Folder.make(Folder.parent(of: path))
        try AtomicFile.write(file.bytes, to: path)
      }
      for component in components {
        let tensors = component.tensors(options, isCancelled: isCancelled)
        report(
          component.folder.isEmpty ? "adapter" : component.folder,
          tensors.reduce(0) { $0 + $1.byteCount })
        try ShardedWriter(
          tensors, baseName: component.baseName, variant: options.variant,
          maxShardSize: options.maxShardSize
        ).write(to: folder + "/" + component.folder)
      }
    }
  }

  /// What the files hold, and room for headers.
  private func byteCount(_ dtype: DType) -> Int {
    files.reduce(parameterCount * dtype.byteCount) { $0 + $1.bytes.count } + 4 << 20
  }
}

extension RandomModel.Component {
  /// Numbers that are made, and then written, at a time.
  private static let chunk = 1 << 21

  fileprivate func tensors(
    _ options: RandomModel.Options, isCancelled: @escaping () -> Bool
  ) -> [StreamedTensor] {
    parameters.map { parameter in
      let random = CounterRandom(
        seed: options.seed, purpose: .initialization,
        sample: ContentHash(folder + "/" + parameter.key).low)
      return StreamedTensor(name: parameter.key, dtype: options.dtype, shape: parameter.shape) {
        try Self.write(parameter, random, options.dtype, isCancelled, $0)
      }
    }
  }

  private static func write(
    _ parameter: RandomWeights.Parameter, _ random: CounterRandom, _ dtype: DType,
    _ isCancelled: () -> Bool, _ write: StreamedTensor.Sink
  ) throws {
    let count = parameter.shape.count
    let buffer = ChunkBuffer(byteCount: min(chunk, count) * dtype.byteCount)
    for start in stride(from: 0, to: count, by: chunk) {
      if isCancelled() { throw PipelineError.cancelled }
      let size = min(chunk, count - start)
      // Slices begin at whole blocks of the stream.
      ThreadPool.forEachSlice(of: (size + 3) / 4, grain: 4096) { blocks in
        let part = blocks.lowerBound * 4..<min(blocks.upperBound * 4, size)
        random.fill(
          buffer.part(part, dtype), as: dtype, from: start + part.lowerBound,
          center: parameter.center, halfWidth: parameter.halfWidth)
      }
      try write(UnsafeRawBufferPointer(buffer.part(0..<size, dtype)))
    }
  }
}

/// Memory that several threads fill.
// SAFETY: each thread of a loop writes a part of its own, and the loop ends before the bytes are read.
private final class ChunkBuffer: @unchecked Sendable {
  private let bytes: UnsafeMutableRawBufferPointer

  init(byteCount: Int) { bytes = .allocate(byteCount: byteCount, alignment: 64) }

  deinit { bytes.deallocate() }

  func part(_ elements: Range<Int>, _ dtype: DType) -> UnsafeMutableRawBufferPointer {
    let size = dtype.byteCount
    return UnsafeMutableRawBufferPointer(
      rebasing: bytes[elements.lowerBound * size..<elements.upperBound * size])
  }
}
