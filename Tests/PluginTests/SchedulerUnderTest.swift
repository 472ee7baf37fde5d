import EspalierABI
import EspalierTensors
import Foundation

/// A scheduler of the standard library, called through its C table.
final class SchedulerUnderTest {
  let api: esp_scheduler_api
  private let handle: OpaquePointer

  init(_ className: String, config: String = "{}") throws {
    api = try PluginLibrary("scheduler-standard").api(esp_scheduler_api.self)
    var handle: OpaquePointer?
    let create = api.create
    try call { create(className, config, &handle, $0) }
    self.handle = try unwrap(handle)
  }

  deinit { api.destroy(handle) }

  /// The class names that the library offers, in its order.
  static func offered() throws -> [String] {
    try entries().filter { $0.preset == nil && $0.isFirst }.map(\.className)
  }

  /// A class of the library or a further name of one.
  struct Entry {
    let className, shortName: String
    /// False for a further name.
    let isFirst: Bool
    /// The JSON that a further name stands for.
    let preset: String?
    /// Name and default of each described key.
    let options: [(name: String, default: String?)]
  }

  static func entries() throws -> [Entry] {
    let api = try PluginLibrary("scheduler-standard").api(esp_scheduler_api.self)
    var seen: Set<String> = []
    return try (0..<api.class_count()).map { index in
      let entry = try unwrap(api.class_at(index)).pointee
      let options = try (0..<entry.option_count).map { index in
        let option = try unwrap(entry.options)[index].pointee
        return (
          name: String(cString: option.name),
          default: option.default_value.map { String(cString: $0) }
        )
      }
      let className = String(cString: entry.class_name)
      return Entry(
        className: className, shortName: String(cString: entry.short_name),
        isFirst: seen.insert(className).inserted, preset: entry.preset.map { String(cString: $0) },
        options: options)
    }
  }

  /// The samples after every call over the fake model of the fixtures:
  /// tanh(0.8 · input + 0.1 · sin(0.37 · element + call)).
  ///
  /// - Parameter noiseSeed: Of PyTorch's generator for the noise that steps ask for.
  func trajectory(from start: [Float], noiseSeed: Int) throws -> [[Float]] {
    var generator = TorchGenerator(seed: noiseSeed)
    var (sample, samples) = (start, [[Float]]())
    for call in 0..<callCount {
      let input = try scaleModelInput(call, sample)
      let output = input.indices.map { index in
        tanh(0.8 * input[index] + 0.1 * sin(0.37 * Float(index) + Float(call)))
      }
      let noise = needsNoise(call) ? generator.randn(sample.count) : nil
      sample = try step(call, output: output, sample: sample, noise: noise).previous
      samples.append(sample)
    }
    return samples
  }

  func setTimesteps(_ steps: Int) throws {
    try call { api.set_timesteps(handle, Int32(steps), $0) }
  }
  var callCount: Int { Int(api.call_count(handle)) }
  var initNoiseSigma: Double { api.init_noise_sigma(handle) }
  var timesteps: [Float] { (0..<api.call_count(handle)).map { Float(api.timestep(handle, $0)) } }
  func timestep(_ index: Int) -> Double { api.timestep(handle, UInt32(index)) }
  func needsNoise(_ index: Int) -> Bool { api.needs_noise(handle, UInt32(index)) != 0 }

  func sigmas() throws -> [Float] {
    let sigmas = try unwrap(api.sigmas)
    var values = [Double](repeating: 0, count: Int(sigmas(handle, nil, 0)))
    _ = sigmas(handle, &values, UInt32(values.count))
    return values.map { Float($0) }
  }

  func scaleModelInput(_ index: Int, _ sample: [Float]) throws -> [Float] {
    var out = [Float](repeating: .nan, count: sample.count)
    try call { api.scale_model_input(handle, UInt32(index), sample, &out, sample.count, $0) }
    return out
  }

  func step(
    _ index: Int, output: [Float], sample: [Float], noise: [Float]? = nil
  ) throws -> (previous: [Float], original: [Float]) {
    var previous = [Float](repeating: .nan, count: sample.count)
    var original = previous
    try call { error in
      let run = { (noise: UnsafePointer<Float>?) in
        self.api.step(
          self.handle, UInt32(index), output, sample, noise, &previous, &original, sample.count,
          error)
      }
      return noise.map { $0.withUnsafeBufferPointer { run($0.baseAddress) } } ?? run(nil)
    }
    return (previous, original)
  }

  func addNoise(_ timesteps: [Double], _ original: [Float], _ noise: [Float]) throws -> [Float] {
    var out = [Float](repeating: .nan, count: original.count)
    try call {
      api.add_noise(
        handle, timesteps, timesteps.count, original.count / timesteps.count, original, noise, &out,
        $0)
    }
    return out
  }

  func trainingTarget(_ timesteps: [Double], _ original: [Float], _ noise: [Float]) throws
    -> [Float]
  {
    let target = try unwrap(api.training_target)
    var out = [Float](repeating: .nan, count: original.count)
    try call {
      target(
        handle, timesteps, timesteps.count, original.count / timesteps.count, original, noise, &out,
        $0)
    }
    return out
  }
}
