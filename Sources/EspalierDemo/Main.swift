import ArgumentParser

/// The parts of `make demo` that are not training: data and proof.
@main
struct EspalierDemo: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "espalier-demo",
    abstract: "Draws circle pictures to train an adapter on, and measures what it learnt.",
    subcommands: [MakeData.self, Evaluate.self])
}
