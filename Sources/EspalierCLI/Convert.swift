import ArgumentParser
import Espalier

/// `espalier convert`: an adapter in the other layout.
struct Convert: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Writes a T2I-Adapter in Diffusers' layout or in that of its authors.",
    discussion: """
      Weights are copied as they are. Diffusers' layout is a folder with config.json; the authors' is one \
      .safetensors file with the names of TencentARC's T2I-Adapter, as other programs read it.
      """)

  /// `--to`.
  enum Layout: String, ExpressibleByArgument, CaseIterable {
    case diffusers
    case original

    var layout: FileIdentity.Layout { self == .diffusers ? .diffusers : .original }
  }

  @Option(help: "The layout to write.")
  var to: Layout

  @Option(help: "Convert the weights to this type (default: keep them).")
  var dtype: WeightType?

  @Argument(
    help: ArgumentHelp(
      "An adapter's folder, a training state, or a .safetensors file.", valueName: "adapter"))
  var adapter: String

  @Argument(
    help: ArgumentHelp(
      "What to write: a new folder, or a new .safetensors file for --to original.",
      valueName: "output"))
  var output: String

  func validate() throws {
    if to == .original && !output.hasSuffix(".safetensors") {
      throw ValidationError("the output is \(output); expected a name that ends in .safetensors")
    }
  }

  func run() throws {
    let source = try AdapterSource(path: adapter)
    try AdapterConversion(source, dtype: dtype?.dtype).write(to.layout, to: output)
    print(output)
  }
}
