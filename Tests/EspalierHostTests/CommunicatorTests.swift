import EspalierHost
import Testing

@Suite("Communicator") struct CommunicatorTests {
  private func communicator(_ flags: [String] = []) throws -> Communicator {
    let workshop = try Workshop()
    try workshop.build("communicator", "libespalier-communicator-three.so", flags)
    return try workshop.registry().communicator(named: "three")
  }

  @Test func `rank, size and the collective calls reach the plugin`() throws {
    let communicator = try communicator()
    #expect(communicator.rank == 1)
    #expect(communicator.size == 3)
    var values: [Float] = [1, 2, 5]
    try values.withUnsafeMutableBufferPointer { try communicator.allReduce($0) }
    #expect(values == [3, 6, 15])
    try values.withUnsafeMutableBufferPointer { try communicator.allReduce($0, .max) }
    #expect(values == [3, 6, 15])
    var bytes: [UInt8] = [0, 0]
    try bytes.withUnsafeMutableBytes { try communicator.broadcast($0, root: 2) }
    #expect(bytes == [9, 9])
    communicator.finalize()
  }

  @Test func `a failing call says what was tried`() throws {
    let communicator = try communicator()
    #expect(
      throws: CommunicatorError.failed(
        communicator: "three", operation: "wait for the other processes",
        CallFailure(code: .io, message: "process 0 is gone"))
    ) {
      try communicator.barrier()
    }
  }

  @Test func `a failing start and a rank outside the run are refused`() throws {
    #expect(
      throws: CommunicatorError.failed(
        communicator: "three", operation: "join the other processes",
        CallFailure(code: .timeout, message: "process 2 does not answer"))
    ) {
      try communicator(["-DINIT_FAILS"])
    }
    #expect(throws: CommunicatorError.invalidRank(communicator: "three", rank: 3, size: 3)) {
      try communicator(["-DRANK=3"])
    }
  }
}
