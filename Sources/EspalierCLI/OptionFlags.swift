import ArgumentParser
import EspalierCheckpoints
import EspalierHost

/// `--backend_option`, which every command that opens a device takes.
struct BackendOptionFlags: ParsableArguments {
  @Option(
    name: .customLong("backend_option"), parsing: .unconditionalSingleValue,
    help: ArgumentHelp(
      "Set an option of the backend (repeatable); 'espalier plugins NAME' lists them.",
      valueName: "key=value"))
  var texts: [String] = []

  func validate() throws { _ = try assignments }

  var assignments: [OptionAssignment] {
    get throws { try OptionAssignment.all(texts, flag: "--backend_option") }
  }

  /// Opens a device with what the user set.
  func open(
    _ choice: (backend: BackendPlugin, device: DeviceInfo)
  ) throws -> ComputeDevice {
    try ComputeDevice(
      choice.backend, choice.device, options: choice.backend.settings(assignments))
  }
}

extension JSONValue {
  /// The value as a user writes it on the command line.
  var optionText: String { string ?? text }
}

extension OptionAssignment {
  /// The values of a flag that was given any number of times.
  ///
  /// - Throws: `ValidationError` for the first without a key and a value.
  static func all(_ texts: [String], flag: String) throws -> [OptionAssignment] {
    do {
      return try texts.map { try OptionAssignment($0, flag: flag) }
    } catch let error as OptionError {
      throw ValidationError("\(error)")
    }
  }
}
