import EspalierCheckpoints
import EspalierModels
import EspalierTensors
import TestSupport
import Testing

@Suite("Fresh adapters") struct InitializationTests {
  /// The seeds of the goldens' adapters after the seed of the whole set.
  static let adapters = [
    ("adapter_xl", 10), ("adapter_xl_second", 11), ("adapter_xl_gray", 12), ("adapter_full", 13),
    ("adapter_light", 14),
  ]

  @Test(arguments: adapters)
  func `are PyTorch's, number by number, for PyTorch's random stream`(
    folder: String, offset: Int
  ) throws {
    let draws = try #require(try Fixtures.json("train.json")["draws"]?.string)
    let seed = try #require(draws.firstMatch(of: /S=(\d+)/).flatMap { Int($0.1) })
    let configuration = try T2IAdapterConfiguration(
      JSONObject(contentsOf: Fixtures.path(folder + "/config.json")))
    let golden = try Checkpoint(folder: Fixtures.path(folder))
    var generator = TorchGenerator(seed: seed + offset)
    let fresh = T2IAdapter.initialParameters(configuration) { generator.rand($0) }
    #expect(Set(fresh.map(\.key)) == Set(golden.entries.keys))
    for (key, tensor) in fresh {
      let expected = try golden.tensor(key)
      #expect(tensor.shape == expected.shape)
      // One unit in the last place of the bound: PyTorch may fuse the product and the sum.
      expectClose(tensor.floats(), expected.floats(), absolute: 1e-7, key)
    }
  }
}
