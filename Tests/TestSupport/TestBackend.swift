import Foundation
public import Testing

/// The backends that tests compute on.
public enum TestBackend {
  /// Names as for `--backend`: those of `$ESPALIER_TEST_BACKEND`, separated by commas, else all of the
  /// project's own.
  public static let all: [String] = {
    let chosen = ProcessInfo.processInfo.environment["ESPALIER_TEST_BACKEND"] ?? ""
    return chosen.isEmpty ? ["blas", "vulkan"] : chosen.split(separator: ",").map(String.init)
  }()

  /// The backend that the running test is to use: the first one, or each in turn under `.onEveryBackend`.
  @TaskLocal public static var current = all.first ?? "blas"

  /// The plugin's name: `current` without a device.
  public static var name: String { String(current.prefix { $0 != ":" }) }
}

/// Runs every test of a suite once on each backend; an issue says on which one it arose.
public struct EveryBackendTrait: SuiteTrait, TestTrait, TestScoping {
  public let isRecursive = true

  public func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    for backend in TestBackend.all {
      let naming = IssueHandlingTrait.compactMapIssues { issue in
        var issue = issue
        issue.comments.append("on backend \(backend)")
        return issue
      }
      try await TestBackend.$current.withValue(backend) {
        try await naming.provideScope(for: test, testCase: testCase, performing: function)
      }
    }
  }
}

extension Trait where Self == EveryBackendTrait {
  /// Runs every test of the suite once on each backend.
  public static var onEveryBackend: EveryBackendTrait { EveryBackendTrait() }
}
