/// What every backend and logger plugin tells about itself.
public protocol Plugin: SendableMetatype {
  /// As in the file name, `libespalier-KIND-NAME.so`.
  static var name: String { get }

  /// The plugin's own version, for people.
  static var version: String { get }

  /// One line for people.
  static var summary: String { get }

  /// The options that a user may set; none unless the plugin says otherwise. Never a secret: options are
  /// shown and logged, so a key comes from the environment or a file of the user's.
  static var options: [any DescribedOption] { get }

  /// Called once, before the process exits, after all objects are gone.
  static func shutdown()
}

extension Plugin {
  public static var options: [any DescribedOption] { [] }

  public static func shutdown() {}
}
