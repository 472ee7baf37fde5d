public import EspalierCheckpoints

/// The control fidelity of held-out pictures, with and without the adapter, and what the demo asks of it.
public struct FidelityReport: Sendable {
  /// One held-out control image.
  public struct Picture: Sendable {
    public let prompt: String
    public let source: String
    /// The seed of the noise, the same with and without adapter.
    public let seed: Int
    /// Intersection over union with the disc asked for, 0 to 1.
    public let withAdapter: Double
    public let withoutAdapter: Double

    public init(
      prompt: String, source: String, seed: Int, withAdapter: Double, withoutAdapter: Double
    ) {
      self.prompt = prompt
      self.source = source
      self.seed = seed
      self.withAdapter = withAdapter
      self.withoutAdapter = withoutAdapter
    }
  }

  public let pictures: [Picture]
  /// The mean with the adapter must be at least this.
  public let leastWithAdapter: Double
  /// The mean without it must be at most this, or the control image would not be needed.
  public let mostWithoutAdapter: Double

  /// - Precondition: there is a picture.
  public init(pictures: [Picture], leastWithAdapter: Double, mostWithoutAdapter: Double) {
    precondition(!pictures.isEmpty, "a report of no pictures")
    self.pictures = pictures
    self.leastWithAdapter = leastWithAdapter
    self.mostWithoutAdapter = mostWithoutAdapter
  }

  /// Means over the pictures.
  public var withAdapter: Double { mean(\.withAdapter) }
  public var withoutAdapter: Double { mean(\.withoutAdapter) }

  /// What was missed, a sentence each; empty if nothing.
  public var misses: [String] {
    var misses: [String] = []
    if !(withAdapter >= leastWithAdapter) {
      misses.append(
        "control fidelity with the adapter is \(decimal(withAdapter)), "
          + "expected at least \(decimal(leastWithAdapter)): train longer")
    }
    if !(withoutAdapter <= mostWithoutAdapter) {
      misses.append(
        "control fidelity without the adapter is \(decimal(withoutAdapter)), "
          + "expected at most \(decimal(mostWithoutAdapter)): these pictures prove nothing")
    }
    return misses
  }

  /// One line for each picture and one for the means.
  public var table: String {
    let width = max(pictures.map(\.prompt.count).max() ?? 0, 4)
    func line(_ texts: [String]) -> String {
      let first = texts[0] + String(repeating: " ", count: max(width - texts[0].count, 0))
      let rest = texts.dropFirst().map { text in
        String(repeating: " ", count: max(9 - text.count, 0)) + text
      }
      return ([first] + rest).joined(separator: " ")
    }
    return
      ([line(["control fidelity (IoU)", "without", "with"])]
      + pictures.map { line([$0.prompt, decimal($0.withoutAdapter), decimal($0.withAdapter)]) }
      + [line(["mean", decimal(withoutAdapter), decimal(withAdapter)])]).joined(separator: "\n")
  }

  /// The content of `report.json`.
  ///
  /// - Parameters:
  ///   - training: Null values if nil.
  ///   - settings: How the pictures were made.
  public func json(training: TrainingSummary?, settings: [String: JSONValue]) -> JSONValue {
    .object([
      "fidelity_with_adapter": .number(withAdapter),
      "fidelity_without_adapter": .number(withoutAdapter),
      "training_seconds": training.map { .number($0.seconds) } ?? .null,
      "training_steps": training.map { .number($0.steps) } ?? .null,
      "peak_memory_bytes": training.map { .number($0.peakMemoryBytes) } ?? .null,
      "goals": .object([
        "fidelity_with_adapter_at_least": .number(leastWithAdapter),
        "fidelity_without_adapter_at_most": .number(mostWithoutAdapter),
        "met": .bool(misses.isEmpty),
      ]),
      "settings": .object(settings),
      "images": .array(
        pictures.map { picture in
          .object([
            "prompt": .string(picture.prompt), "source": .string(picture.source),
            "seed": .number(picture.seed), "fidelity_with_adapter": .number(picture.withAdapter),
            "fidelity_without_adapter": .number(picture.withoutAdapter),
          ])
        }),
    ])
  }

  private func mean(_ value: KeyPath<Picture, Double>) -> Double {
    pictures.reduce(0) { $0 + $1[keyPath: value] } / Double(pictures.count)
  }
}

/// Three decimals.
private func decimal(_ value: Double) -> String {
  guard value.isFinite else { return "\(value)" }
  let thousandths = Int((value * 1000).rounded())
  let digits = String(abs(thousandths) % 1000)
  return (thousandths < 0 ? "-" : "") + "\(abs(thousandths) / 1000)."
    + String(repeating: "0", count: 3 - digits.count) + digits
}
