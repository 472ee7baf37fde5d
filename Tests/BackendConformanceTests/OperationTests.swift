import EspalierConformance
import Testing

extension EveryBackend {
  /// The cases of `espalier conformance`, small shapes: double-precision references, poisoned memory,
  /// guard bands, equal bits in a second run, outputs in the place of inputs.
  @Suite struct OperationTests {
    private func expectConformance(_ subject: BackendUnderTest, _ example: ConformanceCase) {
      guard example.isOffered(by: subject.backend) else { return }
      let result = subject.backend.check(example)
      let faults = ([result.status.rawValue] + result.faults).joined(separator: "\n")
      #expect(result.status == .passed, "\(example)\n\(faults)")
    }

    @Test(arguments: BackendUnderTest.all, ConformanceSuite.cases([.linear, .linearDX, .linearDW]))
    func `linear layers match double precision with every epilogue`(
      backend: BackendUnderTest, example: ConformanceCase
    ) { expectConformance(backend, example) }

    @Test(arguments: BackendUnderTest.all, ConformanceSuite.cases([.conv2D, .conv2DDX, .conv2DDW]))
    func `convolutions match double precision with every epilogue`(
      backend: BackendUnderTest, example: ConformanceCase
    ) { expectConformance(backend, example) }

    @Test(
      arguments: BackendUnderTest.all,
      ConformanceSuite.cases([
        .groupNorm, .groupNormBackward, .layerNorm, .layerNormBackward,
      ]))
    func `norms match double precision with statistics and without`(
      backend: BackendUnderTest, example: ConformanceCase
    ) { expectConformance(backend, example) }

    @Test(
      arguments: BackendUnderTest.all, ConformanceSuite.cases([.attention, .attentionBackward]))
    func `attention matches double precision for every head size and odd lengths`(
      backend: BackendUnderTest, example: ConformanceCase
    ) { expectConformance(backend, example) }

    @Test(
      arguments: BackendUnderTest.all,
      ConformanceSuite.cases([.unary, .unaryBackward, .geglu, .gegluBackward, .scale]))
    func `functions of single elements match double precision`(
      backend: BackendUnderTest, example: ConformanceCase
    ) { expectConformance(backend, example) }

    @Test(arguments: BackendUnderTest.all, ConformanceSuite.cases([.add, .mul, .sumTo]))
    func `add and mul repeat the second operand, and sum_to adds up what they repeat`(
      backend: BackendUnderTest, example: ConformanceCase
    ) { expectConformance(backend, example) }

    @Test(
      arguments: BackendUnderTest.all,
      ConformanceSuite.cases([
        .concat, .slice, .pixelUnshuffle, .cast, .embedding, .gatherRows,
      ]))
    func `operations that move elements keep them exactly`(
      backend: BackendUnderTest, example: ConformanceCase
    ) { expectConformance(backend, example) }

    @Test(
      arguments: BackendUnderTest.all,
      ConformanceSuite.cases([
        .upsampleNearest, .upsampleNearestBackward, .avgPool2D, .avgPool2DBackward,
      ]))
    func `resampling matches double precision at odd sides`(
      backend: BackendUnderTest, example: ConformanceCase
    ) { expectConformance(backend, example) }

    @Test(
      arguments: BackendUnderTest.all,
      ConformanceSuite.cases([.weightedMSE, .weightedMSEBackward, .sumSquares, .adamW]))
    func `loss, norm and optimizer match double precision`(
      backend: BackendUnderTest, example: ConformanceCase
    ) { expectConformance(backend, example) }
  }
}
