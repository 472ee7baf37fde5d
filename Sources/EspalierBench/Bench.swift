public import ArgumentParser

/// `espalier bench`: how fast this machine does the work of training and generation, and how much memory that takes.
public struct Bench: ParsableCommand {
  public static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Measures speed and memory, with PyTorch beside it on request.",
    discussion: """
      Without flags the small model and single operations are measured. 'espalier bench compare --help' tells all flags, \
      which need not be preceded by 'compare':

        espalier bench --scale 512 1024 --list
        espalier bench --scale 1024 --only unet --only conv2d
        espalier bench --goals --python /path/to/python
      """,
    subcommands: [BenchComparison.self, BenchMeasurement.self],
    defaultSubcommand: BenchComparison.self)

  public init() {}
}
