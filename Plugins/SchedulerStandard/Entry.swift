import EspalierPluginKit

/// A new scheduler is one file and one line here.
@c(espalier_register_plugins)
public func registerPlugins() {
  PluginRegistration.schedulers(
    "standard", version: "1.1.0", summary: "Diffusers' noise schedulers",
    EulerDiscreteScheduler.self,
    EulerAncestralDiscreteScheduler.self,
    HeunDiscreteScheduler.self,
    DDIMScheduler.self,
    DDPMScheduler.self,
    PNDMScheduler.self,
    LMSDiscreteScheduler.self,
    DPMSolverMultistepScheduler.self,
    DPMSolverSinglestepScheduler.self,
    KDPM2DiscreteScheduler.self,
    KDPM2AncestralDiscreteScheduler.self,
    UniPCMultistepScheduler.self,
    DEISMultistepScheduler.self,
    LCMScheduler.self,
    TCDScheduler.self)
}
