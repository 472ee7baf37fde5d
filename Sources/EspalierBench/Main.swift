import ArgumentParser

/// The program behind `make bench`.
@main
struct EspalierBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "espalier-bench",
    abstract: "Measures speed and memory, with PyTorch beside it on request.",
    subcommands: [Compare.self, Measure.self], defaultSubcommand: Compare.self)
}
