import EspalierTraining
import Foundation
import Testing

/// Against the rules of PyTorch's `GradScaler`.
@Suite("LossScaler") struct LossScalerTests {
  /// Feeds the outcomes of steps in their order; tells which steps were skipped.
  private func skips(_ scaler: inout LossScaler, _ finite: Bool, times: Int = 1) -> [Bool] {
    (0..<times).map { _ in scaler.skipsStep(gradientsAreFinite: finite) }
  }

  @Test func `an overflow halves the scale and skips the step`() {
    var scaler = LossScaler(isDynamic: true)
    #expect(scaler.scale == 65_536)
    let overflow = skips(&scaler, false)
    #expect(overflow == [true])
    #expect(scaler.scale == 32_768)
    let good = skips(&scaler, true)
    #expect(good == [false])
    #expect(scaler.scale == 32_768)
  }

  @Test func `2000 good steps in a row double the scale`() {
    var scaler = LossScaler(isDynamic: true)
    let good = skips(&scaler, true, times: 1999)
    #expect(!good.contains(true))
    #expect(scaler.scale == 65_536)
    _ = skips(&scaler, true)
    #expect(scaler.scale == 131_072)
    _ = skips(&scaler, true, times: 1999)
    _ = skips(&scaler, false)
    #expect(scaler.scale == 65_536)
    _ = skips(&scaler, true)
    #expect(scaler.scale == 65_536, "an overflow starts the count anew")
  }

  @Test func `the scale stays within its bounds and says when it is exhausted`() {
    var scaler = LossScaler(isDynamic: true)
    _ = skips(&scaler, false, times: 15)
    #expect(!scaler.isExhausted)
    let skipped = skips(&scaler, false, times: 10)
    #expect(!skipped.contains(false))
    #expect(scaler.scale == 1)
    #expect(scaler.isExhausted)
    _ = skips(&scaler, true, times: 2000 * 40)
    #expect(scaler.scale == 16_777_216)
  }

  @Test func `without scaling nothing is skipped and the scale is 1`() {
    var scaler = LossScaler(isDynamic: false)
    let skipped = skips(&scaler, false)
    #expect(skipped == [false])
    #expect(scaler.scale == 1)
    #expect(!scaler.isExhausted)
  }

  @Test func `a saved scaler goes on where it was`() throws {
    var scaler = LossScaler(isDynamic: true)
    _ = skips(&scaler, false)
    _ = skips(&scaler, true, times: 1500)
    var read = try JSONDecoder().decode(LossScaler.self, from: JSONEncoder().encode(scaler))
    #expect(read == scaler)
    _ = skips(&read, true, times: 500)
    #expect(read.scale == 65_536)
  }
}
