import EspalierPipelines
import TestSupport
import Testing

@Suite("Guidance") struct GuidanceTests {
  private let negative: [Float] = [0, 1, 2, -1, 3, 5]
  private let positive: [Float] = [1, 1, 0, 2, 2, 2.5]

  @Test func `goes from the negative prediction through the positive one`() {
    let result = Guidance(scale: 3)(negative: negative, positive: positive, count: 3)
    #expect(result == [3, 1, -4, 8, 0, -2.5])
  }

  @Test func `full rescaling gives each sample the positive one's deviation`() {
    let result = Guidance(scale: 3, rescale: 1)(negative: negative, positive: positive, count: 3)
    for start in [0, 3] {
      let range = start..<start + 3
      #expect(
        abs(deviation(Array(result[range])) - deviation(Array(positive[range]))) < 1e-5)
    }
  }

  @Test func `half rescaling lies in the middle`() {
    func guided(_ rescale: Double) -> [Float] {
      Guidance(scale: 3, rescale: rescale)(negative: negative, positive: positive, count: 6)
    }
    let middle = zip(guided(0), guided(1)).map { ($0 + $1) / 2 }
    expectClose(guided(0.5), middle, absolute: 1e-5)
  }

  private func deviation(_ values: [Float]) -> Float {
    let mean = values.reduce(0, +) / Float(values.count)
    let sum = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return (sum / Float(values.count - 1)).squareRoot()
  }
}
