public import ArgumentParser
public import EspalierHost

extension WeightCache: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }

  public var defaultValueDescription: String {
    switch self {
    case .none: "none"
    case .auto: "auto"
    case .bytes(let count): ByteCount(count).exactDescription
    }
  }

  /// For all commands that take it.
  static let help = """
    Memory for copies of the UNet's weights in the order in which they are multiplied, which need not be made again in \
    every step: 'none', a number as 4GiB, or 'auto', up to half of what is free beyond the rest of the run. Some percent \
    faster in long runs; results are the same.
    """
}
