import EspalierConformance
import Foundation
import Glibc

/// What a worker tells about its cases, one JSON text a line.
enum ConformanceMessage: Codable {
  case opened(ConformanceSubject)
  case started(Int)
  case finished(Int, CaseResult)
  /// Storage types that the device does not offer.
  case skipped(Int)
  /// All cases were run; the plugin is shut down after this.
  case done

  /// For messages and reports: a plugin's answers may be infinite.
  static var encoder: JSONEncoder {
    let encoder = JSONEncoder()
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return encoder
  }

  static var decoder: JSONDecoder {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return decoder
  }
}

/// The worker's end of the pipe to the command.
struct ConformanceChannel {
  private let handle: FileHandle

  /// Takes standard output for messages; what a plugin prints there goes to standard error.
  static func takeOverStandardOutput() throws -> ConformanceChannel {
    let copy = dup(STDOUT_FILENO)
    guard copy >= 0, dup2(STDERR_FILENO, STDOUT_FILENO) >= 0 else {
      throw ConformanceFault.noChannel(errno)
    }
    return ConformanceChannel(handle: FileHandle(fileDescriptor: copy, closeOnDealloc: true))
  }

  func send(_ message: ConformanceMessage) throws {
    var line = try ConformanceMessage.encoder.encode(message)
    line.append(UInt8(ascii: "\n"))
    try handle.write(contentsOf: line)
  }
}

/// Why a conformance run could not be carried out.
enum ConformanceFault: Error, CustomStringConvertible {
  /// The system refused a pipe; `errno`.
  case noChannel(Int32)
  /// The plugin ended the program before any case.
  case endedAtStart(String)
  /// The file holds a plugin of another kind.
  case otherKind(file: String, kind: String)
  /// The worker ended without a word.
  case noAnswer

  var description: String {
    switch self {
    case .noChannel(let code): "cannot make a pipe for results: \(String(cString: strerror(code)))"
    case .endedAtStart(let how):
      "the plugin \(how) while it was loaded or its device was opened;"
        + " run with --in-process under a debugger"
    case .otherKind(let file, let kind):
      "\(file) is a \(kind) by its name; only backends, libespalier-backend-NAME.so, can be checked"
    case .noAnswer: "no case was run; report this"
    }
  }
}
