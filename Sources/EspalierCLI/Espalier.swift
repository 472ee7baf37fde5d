import ArgumentParser
import EspalierBench
import EspalierHost

/// The root command.
struct Espalier: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "espalier",
    abstract: "Trains T2I-Adapters for Stable Diffusion XL and generates images with them.",
    version: "0.1.0",
    subcommands: [
      Train.self, Generate.self, Plan.self, Inspect.self, Convert.self, InitModel.self,
      Plugins.self, NewPlugin.self, Conformance.self, Bench.self,
    ])

  /// The exit codes of the program.
  private enum Code {
    static let success: Int32 = 0
    static let failure: Int32 = 1
    static let usage: Int32 = 2
  }

  /// Parses and runs a command line.
  ///
  /// - Returns: 0, 1 if the command failed, 2 if the command line is wrong; or the code of an
  ///   `ExitCode` that a command threw.
  static func run(arguments: [String]) async -> Int32 {
    do {
      var command = try parseAsRoot(arguments)
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
      return Code.success
    } catch let code as ExitCode {
      return code.rawValue
    } catch {
      return report(error)
    }
  }

  private static func report(_ error: any Error) -> Int32 {
    if error is OptionError {
      StandardError.write("error: \(error)")
      return Code.usage
    }
    switch exitCode(for: error) {
    case .success:  // --help, --version
      print(fullMessage(for: error))
      return Code.success
    case .validationFailure:
      StandardError.write("error: " + withoutPrefix(fullMessage(for: error)))
      return Code.usage
    default:
      StandardError.write("error: \(error)")
      return Code.failure
    }
  }

  private static func withoutPrefix(_ message: String) -> String {
    message.hasPrefix("Error: ") ? String(message.dropFirst("Error: ".count)) : message
  }
}
