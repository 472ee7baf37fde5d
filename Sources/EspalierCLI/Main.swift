import ArgumentParser
import Glibc
import Logging

/// The program: arguments in, one library call down, an exit code out.
@main
struct Main {
  static func main() async {
    LoggingSystem.bootstrap { StandardErrorLogHandler(label: $0) }
    exit(await Espalier.run(arguments: Array(CommandLine.arguments.dropFirst())))
  }
}
