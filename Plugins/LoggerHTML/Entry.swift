import EspalierPluginKit

@c(espalier_register_plugins)
public func registerPlugins() { PluginRegistration.logger(HTMLMetricLogger.self) }
