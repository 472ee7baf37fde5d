import EspalierBench
import EspalierCheckpoints
import EspalierTensors
import Foundation
import TestSupport
import Testing

@Suite("Comparisons of a benchmark") struct ComparisonTests {
  private let folder: TemporaryFolder

  init() throws { folder = try temporaryFolder() }

  private func measurement(_ milliseconds: [Double], peak: Int)
    -> EspalierBench.Measurement
  {
    EspalierBench.Measurement(
      program: "test", milliseconds: milliseconds, cpuMilliseconds: milliseconds.map { 2 * $0 },
      peakMemoryBytes: peak, startMemoryBytes: 1)
  }

  private func vector(_ values: [Float]) -> HostTensor {
    HostTensor(values, shape: [values.count])
  }

  private func write(_ name: String, _ tensors: [(name: String, tensor: HostTensor)]) throws
    -> String
  {
    try SafetensorsWriter.write(tensors, to: folder.file(name))
    return folder.file(name)
  }

  @Test func `medians are the middle, or between the two in the middle`() {
    #expect(measurement([5, 1, 3], peak: 0).median == 3)
    #expect(measurement([4, 1, 3, 100], peak: 0).median == 3.5)
    #expect(measurement([5, 1, 3], peak: 0).cpuMedian == 6)
  }

  @Test func `another process adds repetitions and may have the higher peak`() {
    var sum = measurement([1, 9], peak: 10)
    sum.merge(measurement([5], peak: 7))
    #expect(sum.median == 5 && sum.peakMemoryBytes == 10 && sum.milliseconds.count == 3)
  }

  @Test func `ratios are ours over PyTorch's`() {
    let comparison = Comparison(
      row: BenchRow(.vaeDecode, .sdxl(1024)), title: "", isBaseline: false,
      ours: measurement([2], peak: 3), pytorch: measurement([8], peak: 12), refusal: nil,
      difference: nil)
    #expect(comparison.timeRatio == 0.25 && comparison.memoryRatio == 0.25)
  }

  @Test func `the difference is that of the worst tensor, relative to PyTorch's norm`() throws {
    let ours = try write(
      "ours", [("a", vector([3, 4])), ("b", vector([1, 0]))])
    let theirs = try write(
      "theirs", [("a", vector([3, 4])), ("b", vector([1, 0.5]))])
    let difference = try ResultDifference(ours: ours, theirs: theirs)
    #expect(difference.name == "b")
    #expect(abs(difference.relativeL2 - 0.5 / 1.25.squareRoot()) < 1e-12)
    #expect(try ResultDifference(ours: ours, theirs: ours).relativeL2 == 0)
  }

  @Test func `a result that is not a number is the worst`() throws {
    let ours = try write(
      "ours", [("a", vector([.nan])), ("b", vector([2]))])
    let theirs = try write(
      "theirs", [("a", vector([1])), ("b", vector([1]))])
    #expect(try ResultDifference(ours: ours, theirs: theirs).relativeL2 == .infinity)
  }

  @Test func `results that do not belong together are not compared`() throws {
    let one = try write("one", [("a", vector([1, 2]))])
    let other = try write("other", [("b", vector([1, 2]))])
    let turned = try write("turned", [("a", HostTensor([Float(1), 2], shape: [1, 2]))])
    #expect(throws: ResultDifferenceError.self) {
      try ResultDifference(ours: one, theirs: other)
    }
    #expect(throws: ResultDifferenceError.self) {
      try ResultDifference(ours: one, theirs: turned)
    }
  }

  @Test func `a peer that would not fit is told from one that is broken`() throws {
    func peer(_ line: String) throws -> ChildProcess.Peer {
      try ChildProcess(program: "/bin/echo", arguments: [line]).peerMeasurement()
    }
    guard case .refused("needs more") = try peer(#"{"refusal": "needs more"}"#) else {
      Issue.record("a refusal was not understood")
      return
    }
    #expect(throws: ChildProcessError.self) { try peer("Traceback") }
    #expect(throws: ChildProcessError.self) {
      try ChildProcess(program: "/bin/false", arguments: []).peerMeasurement()
    }
  }
}
