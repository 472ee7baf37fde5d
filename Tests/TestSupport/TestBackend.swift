import Foundation

/// The backend that tests compute on.
public enum TestBackend {
  /// As `--backend` takes it: `$ESPALIER_TEST_BACKEND`, `blas` if that is not set or empty.
  public static let selector: String = {
    let chosen = ProcessInfo.processInfo.environment["ESPALIER_TEST_BACKEND"] ?? ""
    return chosen.isEmpty ? "blas" : chosen
  }()

  /// The plugin's name: the selector without a device.
  public static var name: String { String(selector.prefix { $0 != ":" }) }
}
