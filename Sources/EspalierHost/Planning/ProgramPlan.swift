public import EspalierGraph

/// A program that was planned for a device and not compiled: its work and its memory.
public struct ProgramPlan: Sendable {
  public let program: GraphProgram
  public let need: MemoryNeed
  /// The sizes of its arenas.
  public let arenaBytes: [Int]

  public init(program: GraphProgram, need: MemoryNeed, arenaBytes: [Int]) {
    self.program = program
    self.need = need
    self.arenaBytes = arenaBytes
  }
}
