import EspalierPluginKit

/// A new scheduler is one file and one line here.
@c(espalier_register_plugins)
public func registerPlugins() {
  PluginRegistration.schedulers(
    "standard", version: "1.0.0",
    summary: "Diffusers' noise schedulers: Euler, Euler ancestral, DDPM",
    EulerDiscreteScheduler.self,
    EulerAncestralDiscreteScheduler.self,
    DDPMScheduler.self)
}
