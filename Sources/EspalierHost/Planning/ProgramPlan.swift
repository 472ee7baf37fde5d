public import EspalierGraph

/// A program that was planned for a device and not compiled: its work and its memory.
public struct ProgramPlan: Sendable {
  public let program: GraphProgram
  public let need: MemoryNeed
  /// The sizes of its arenas.
  public let arenaBytes: [Int]
  /// Copies of its weights that the backend offers to keep, which `need` does not count.
  public let copies: [WeightCopy]

  public init(
    program: GraphProgram, need: MemoryNeed, arenaBytes: [Int], copies: [WeightCopy] = []
  ) {
    self.program = program
    self.need = need
    self.arenaBytes = arenaBytes
    self.copies = copies
  }
}
