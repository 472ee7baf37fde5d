import Glibc

/// The environment of the process, or one made up for a test; an empty variable counts as none.
package struct Environment: Sendable {
  private let lookup: @Sendable (String) -> String?

  package static let process = Environment { name in getenv(name).map { String(cString: $0) } }

  package init(_ variables: [String: String]) { self.init { variables[$0] } }

  private init(_ lookup: @escaping @Sendable (String) -> String?) { self.lookup = lookup }

  package subscript(_ name: String) -> String? { lookup(name).flatMap { $0.isEmpty ? nil : $0 } }
}
