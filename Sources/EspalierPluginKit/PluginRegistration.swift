/// How a library says what it offers.
///
/// The library defines one function, which the kit calls when the host first enters it:
///
///     @c(espalier_register_plugins)
///     public func registerPlugins() { PluginRegistration.logger(MyLogger.self) }
///
/// One backend, one logger and one scheduler plugin with any number of classes; the file is named after
/// the plugin that the host shall find in it, `libespalier-KIND-NAME.so`.
public enum PluginRegistration {
  public static func backend(_ type: any BackendPlugin.Type) { Registered.add(backend: type) }

  public static func logger(_ type: any MetricLoggerPlugin.Type) { Registered.add(logger: type) }

  /// - Parameters:
  ///   - name: As in the file name, `libespalier-scheduler-NAME.so`.
  ///   - version: The plugin's own version.
  ///   - summary: One line for people.
  ///   - classes: What the host finds in it, by class name and short name.
  public static func schedulers(
    _ name: String, version: String, summary: String,
    _ classes: any NoiseSchedulerPlugin.Type...
  ) {
    Registered.add(schedulers: classes, name: name, version: version, summary: summary)
  }
}
