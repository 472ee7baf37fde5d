import EspalierCheckpoints
import EspalierHost
import EspalierImages
import EspalierPipelines
import EspalierTensors
import Foundation
import TestSupport
import Testing

/// All suites that compute; one after the other, since a device has one owner.
@Suite(.serialized) enum Pipelines {}

/// The fixtures' model on the backend under test.
enum TestModel {
  /// The plugins beside the test program.
  static let registry: Result<PluginRegistry, any Error> = Result {
    try ThreadPool.start()
    return try PluginRegistry()
  }

  static let path = Fixtures.path("tiny-sdxl")

  static func device() throws -> ComputeDevice {
    let choice = try registry.get().backend(named: TestBackend.current)
    return try ComputeDevice(choice.backend, choice.device)
  }

  /// A scheduler by class name; the model's own configuration unless another one is given.
  static func scheduler(
    _ name: String, configuration: JSONValue? = nil
  ) throws -> NoiseScheduler {
    var text = try DiffusionFolder(path: path).scheduler().configuration
    if let configuration {
      let folder = try temporaryFolder()
      try configuration.write(to: folder.file("scheduler_config.json"))
      text = try String(contentsOfFile: folder.file("scheduler_config.json"), encoding: .utf8)
    }
    return try registry.get().scheduler(named: name, configuration: text)
  }

  static func pipeline(
    adapters: [String] = ["adapter_xl"], scheduler: String = "EulerDiscreteScheduler",
    schedulerConfiguration: JSONValue? = nil, storage: DType? = nil
  ) throws -> StableDiffusionXLAdapterPipeline {
    try StableDiffusionXLAdapterPipeline(
      DiffusionFolder(path: path),
      adapters: adapters.map { try AdapterComponent(folder: Fixtures.path($0), storage: storage) },
      scheduler: self.scheduler(scheduler, configuration: schedulerConfiguration),
      device: device(), storage: storage)
  }

  static func image(_ name: String) throws -> Image {
    try Image(contentsOf: Fixtures.path("images/" + name))
  }
}
