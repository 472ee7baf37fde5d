import EspalierImages
import EspalierTensors

/// Which picture is made of what: sizes checked, prompts, negative prompts and control images paired.
struct GenerationPlan: Equatable {
  /// One picture.
  struct Row: Equatable {
    /// Indices into the configuration's prompts and sets of control images.
    let prompt: Int
    let imageSet: Int?
  }

  let rows: [Row]
  let height: Int
  let width: Int

  /// - Parameters:
  ///   - sizeMultiple: What a side of the picture must be a multiple of.
  ///   - defaultSize: The side of a picture without control image.
  /// - Throws: `PipelineError.setting`.
  init(
    _ configuration: GenerationConfiguration, adapterCount: Int, sizeMultiple: Int, defaultSize: Int
  ) throws(PipelineError) {
    try configuration.check()
    try Self.checkAdapters(configuration, adapterCount)
    let sets = configuration.images.count
    let prompts = configuration.prompts.count
    let pairs: [Row] =
      prompts == 1 && sets > 1
      ? (0..<sets).map { Row(prompt: 0, imageSet: $0) }
      : (0..<prompts).map { Row(prompt: $0, imageSet: sets == 0 ? nil : sets == 1 ? 0 : $0) }
    rows = pairs.flatMap { [Row](repeating: $0, count: configuration.numImagesPerPrompt) }
    let image = configuration.images.first?.first
    height = try Self.side(
      "height", configuration.height, image: image?.height, sizeMultiple, defaultSize)
    width = try Self.side(
      "width", configuration.width, image: image?.width, sizeMultiple, defaultSize)
    let (pixels, overflow) = height.multipliedReportingOverflow(by: width)
    guard !overflow, pixels <= Image.mostPixels else {
      throw .setting(
        "the size", expected: "at most \(Image.mostPixels) pixels", found: "\(height) × \(width)")
    }
  }

  /// The rows in parts of at most `limit`.
  func batches(of limit: Int) -> [Range<Int>] {
    stride(from: 0, to: rows.count, by: limit).map { $0..<min($0 + limit, rows.count) }
  }

  private static func checkAdapters(
    _ configuration: GenerationConfiguration, _ adapterCount: Int
  ) throws(PipelineError) {
    let sets = configuration.images
    let prompts = configuration.prompts.count
    guard adapterCount > 0 else {
      if !sets.isEmpty {
        throw .setting(
          "the number of control images", expected: "0, since there is no adapter",
          found: "\(sets.count)")
      }
      return
    }
    guard !sets.isEmpty else {
      throw .setting(
        "the number of control images",
        expected: adapterCount == 1 ? "at least 1" : "one for each of \(adapterCount) adapters",
        found: "0")
    }
    if let odd = sets.first(where: { $0.count != adapterCount }) {
      throw .setting(
        "the number of control images", expected: "\(adapterCount), one for each adapter",
        found: "\(odd.count)")
    }
    guard sets.count == 1 || prompts == 1 || sets.count == prompts else {
      throw .setting(
        adapterCount == 1 ? "the number of control images" : "the number of sets of control images",
        expected: "1, or \(prompts) as there are prompts", found: "\(sets.count)")
    }
    let scales = configuration.adapterConditioningScale.count
    guard scales == 1 || scales == adapterCount else {
      throw .setting(
        "the number of values of --adapter_conditioning_scale",
        expected: adapterCount == 1 ? "1" : "1, or \(adapterCount) as there are adapters",
        found: "\(scales)")
    }
  }

  private static func side(
    _ name: String, _ chosen: Int?, image: Int?, _ multiple: Int, _ defaultSize: Int
  ) throws(PipelineError) -> Int {
    if let chosen {
      guard chosen > 0, chosen % multiple == 0, chosen <= Image.largestSide else {
        throw .setting(
          "--\(name)",
          expected: "a positive multiple of \(multiple), at most \(Image.largestSide)",
          found: "\(chosen)")
      }
      return chosen
    }
    guard let image else { return defaultSize }
    guard image >= multiple else {
      throw .setting(
        "the \(name) of the control image",
        expected: "at least \(multiple); or give --height and --width", found: "\(image)")
    }
    return image / multiple * multiple
  }
}
