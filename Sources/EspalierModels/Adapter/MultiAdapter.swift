public import EspalierGraph

/// Several adapters at once: their feature maps are weighted and summed.
///
/// Source: Diffusers `models/adapter.py`, `MultiAdapter`.
public struct MultiAdapter {
  private let adapters: [any ControlAdapter]

  /// - Parameter adapters: At least one.
  /// - Throws: `ModelError.incompatibleAdapters` if their feature maps differ in size.
  public init(_ adapters: [any ControlAdapter]) throws(ModelError) {
    precondition(!adapters.isEmpty, "no adapter")
    self.adapters = adapters
    try require("downscale_factor") { "\($0.downscaleFactor)" }
    try require("total_downscale_factor") { "\($0.totalDownscaleFactor)" }
    try require("channels") { configuration in
      let side = configuration.totalDownscaleFactor
      return configuration.featureShapes(batch: 1, height: side, width: side).description
    }
  }

  /// The weighted sums of the adapters' feature maps.
  ///
  /// - Parameters:
  ///   - images: One control image per adapter, all of the same size.
  ///   - weights: One value per adapter of shape `[1]`; as inputs they change without compiling
  ///     again.
  /// - Precondition: As many images and weights as adapters.
  public func features(of images: [Value], weights: [Value]) -> [Value] {
    precondition(
      images.count == adapters.count && weights.count == adapters.count,
      "\(adapters.count) adapters, \(images.count) images, \(weights.count) weights")
    var sums: [Value] = []
    for (adapter, (image, weight)) in zip(adapters, zip(images, weights)) {
      let scaled = adapter.features(of: image).map { $0 * weight }
      sums = sums.isEmpty ? scaled : zip(sums, scaled).map { $0 + $1 }
    }
    return sums
  }

  private func require(
    _ key: String, _ value: (any ControlAdapterConfiguration) -> String
  ) throws(ModelError) {
    let values = adapters.map { value($0.configuration) }
    if Set(values).count > 1 { throw .incompatibleAdapters(key: key, values: values) }
  }
}
