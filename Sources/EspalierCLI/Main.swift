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
    // A file that reaches the shell's size limit is an error to report, not a signal to die of.
    signal(SIGXFSZ, SIG_IGN)
    exit(await Espalier.run(arguments: Array(CommandLine.arguments.dropFirst())))
  }
}
