public import ArgumentParser

/// `espalier bench`: how fast this machine does the work of training and generation, and how much memory that takes.
public struct Bench: ParsableCommand {
  public static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Measures speed and memory, with PyTorch beside it on request.",
    subcommands: [BenchComparison.self, BenchMeasurement.self],
    defaultSubcommand: BenchComparison.self)

  public init() {}
}
