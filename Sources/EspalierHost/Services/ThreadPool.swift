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

  /// Runs a loop in slices on all threads and returns when all is done.
  ///
  /// - Parameters:
  ///   - count: The loop runs over `0..<count`.
  ///   - grain: A slice has at least as many elements.
  ///   - body: Called once for each slice, for several at the same time.
  public static func forEachSlice(
    of count: Int, grain: Int, _ body: @Sendable (Range<Int>) -> Void
  ) {
    withoutActuallyEscaping(body) { body in
      var body = body
      withUnsafeMutablePointer(to: &body) { pointer in
        espalier_pool_for(
          Int64(count), Int64(grain),
          { argument, begin, end, _ in
            argument?.assumingMemoryBound(to: (@Sendable (Range<Int>) -> Void).self)
              .pointee(Int(begin)..<Int(end))
          }, pointer)
      }
    }
  }

  /// The f32 operations that all threads together do in a second at most: multiply-adds in registers, each counted as
  /// two. Measured at each call, which takes less than a second.
  public static var multiplyAddPeak: Double { espalier_multiply_add_peak() }

  private static let variable = "ESPALIER_NUM_THREADS"

  private static func checked(_ text: String, source: String) throws(PluginError) -> UInt32 {
    guard let count = UInt32(text), (1...1024).contains(count) else {
      throw .threadCount(text: text, source: source)
    }
    return count
  }
}
