import EspalierPluginKit

/// The limit that some schedulers put on a predicted original.
///
/// Keys: `clip_sample`, `clip_sample_range`.
struct SampleClip {
  private let range: Float?

  init(_ settings: PluginSettings, _ options: SampleClipOptions) throws(PluginError) {
    let value = Float(try settings.value(of: options.range))
    range = try settings.value(of: options.isOn) ? value : nil
  }

  func callAsFunction(_ original: Float) -> Float {
    range.map { min(max(original, -$0), $0) } ?? original
  }
}

/// The keys of a clip, with the default of one scheduler class.
struct SampleClipOptions: Sendable {
  let isOn: PluginOption<Bool>
  let range = PluginOption.number(
    "clip_sample_range", default: 1, where: { $0 > 0 && $0.isFinite }, "a number above 0",
    "The limit of clip_sample")

  init(default fallback: Bool) {
    isOn = .bool(
      "clip_sample", default: fallback,
      "Limits what is predicted; for models of pixels, not of latents")
  }

  var all: [any DescribedOption] { [isOn, range] }
}
