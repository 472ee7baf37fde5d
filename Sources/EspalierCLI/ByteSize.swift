import ArgumentParser
import EspalierHost

/// A number of bytes on the command line, spelt as in Diffusers: `10GB`, `512MiB`, `4096`.
struct ByteSize: ExpressibleByArgument {
  let bytes: Int

  init(_ bytes: Int) { self.bytes = bytes }

  init?(argument: String) {
    guard let count = ByteCount(parsing: argument) else { return nil }
    bytes = count.bytes
  }

  var defaultValueDescription: String { ByteCount(bytes).exactDescription }
}
