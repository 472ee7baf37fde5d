import EspalierABI
import EspalierConformance
import Testing

extension EveryBackend {
  @Suite struct RefusalTests {
    @Test(arguments: BackendUnderTest.all)
    func `operands that do not fit are refused`(subject: BackendUnderTest) throws {
      let a = Operand.random([3, 5], seed: 4)
      let others: [Operand?] = [[5, 3], [3], [2, 3, 5], [4]].map { .random($0, seed: 5) } + [nil]
      for b in others {
        let call = OperationCall(.add, [a, b], [.init(a.shape)], integers: [0])
        #expect(try !subject.backend.supports(call))
      }
      let single = OperationCall(.add, [a], [.init(a.shape)], integers: [0])
      #expect(try !subject.backend.supports(single))
    }

    @Test(arguments: BackendUnderTest.all)
    func `a slice outside the axis is refused`(subject: BackendUnderTest) throws {
      let x = Operand.random([2, 5], seed: 1)
      for start in [Int64(4), -1, .max] {
        let call = OperationCall(.slice, [x], [.init([2, 2])], integers: [start])
        #expect(try !subject.backend.supports(call))
      }
    }

    @Test(arguments: BackendUnderTest.all)
    func `a veto is kept at compile`(subject: BackendUnderTest) throws {
      let x = Operand.random([2, 3, 5, 8], seed: 1)
      let w = Operand.random([8, 8], seed: 2, role: .weight)
      let call = OperationCall(
        .linear, [x, w, nil, nil], [.init(x.shape)], integers: [Int64(ESP_ACT_SILU)])
      let error = failure {
        _ = try subject.backend.runInPlace(call, of: 0, inSpiteOfVeto: true)
      }
      #expect(error?.message.contains("input 0") == true)
    }
  }
}
