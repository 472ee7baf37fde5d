import EspalierPluginKit
import WandbClient

@c(espalier_register_plugins)
public func registerPlugins() { PluginRegistration.logger(WandbMetricLogger.self) }
