import ArgumentParser

/// The size of what is measured: a model, and the side of its pictures in pixels.
package struct Scale: Hashable {
  /// As `espalier init-model --preset` names it.
  package let preset: String
  package let resolution: Int

  /// The demo's model at the size of its pictures.
  package static let mini = Scale(preset: "mini", resolution: 128)

  /// Stable Diffusion XL.
  package static func sdxl(_ resolution: Int) -> Scale {
    Scale(preset: "sdxl-base-1.0", resolution: resolution)
  }

  // Not by ==, which asks for the raw value.
  private var isMini: Bool { preset == Scale.mini.preset }

  /// In titles: `512²`.
  package var title: String { isMini ? "mini, 128²" : "\(resolution)²" }
}

/// `mini`, or SDXL's side in pixels: `512`.
extension Scale: RawRepresentable, Codable, ExpressibleByArgument {
  package init?(rawValue: String) {
    if rawValue == "mini" {
      self = .mini
    } else if let side = Int(rawValue), (64...4096).contains(side), side % 64 == 0 {
      self = .sdxl(side)
    } else {
      return nil
    }
  }

  package var rawValue: String { isMini ? "mini" : "\(resolution)" }
}
