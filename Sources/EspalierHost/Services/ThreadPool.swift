import CEspalierRuntime

/// The threads of the process that compute; plugins use the same ones.
public enum ThreadPool {
  /// The number of threads that run a loop, the caller counted.
  public static var threadCount: Int { Int(espalier_pool_threads()) }

  /// Starts the threads; to be called before plugins are opened.
  ///
  /// - Parameters:
  ///   - threads: The value of `--threads`; nil takes `ESPALIER_NUM_THREADS`, else one thread for each
  ///     core that the process may use.
  ///   - environment: Looks up an environment variable.
  /// - Returns: The number of threads, fewer than asked for if the system refuses more.
  /// - Throws: `PluginError.threadCount` for a number outside 1…1024 or a text that is not a number.
  @discardableResult
  public static func start(
    threads: Int? = nil,
    environment: (String) -> String? = PluginSearchPath.processEnvironment
  ) throws(PluginError) -> Int {
    var count = espalier_available_cores()
    if let threads {
      count = try checked(String(threads), source: "--threads")
    } else if let text = environment(variable), !text.isEmpty {
      count = try checked(text, source: variable)
    }
    return Int(espalier_pool_start(count))
  }

  private static let variable = "ESPALIER_NUM_THREADS"

  private static func checked(_ text: String, source: String) throws(PluginError) -> UInt32 {
    guard let count = UInt32(text), (1...1024).contains(count) else {
      throw .threadCount(text: text, source: source)
    }
    return count
  }
}
