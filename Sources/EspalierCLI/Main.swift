import ArgumentParser
import EspalierHost
import Glibc
import Logging

/// The program: arguments in, one library call down, an exit code out.
@main
struct Main {
  static func main() async {
    HostServices.returnFreedMemory()
    LoggingSystem.bootstrap { StandardErrorLogHandler(label: $0) }
    exit(await Espalier.run(arguments: Array(CommandLine.arguments.dropFirst())))
  }
}
