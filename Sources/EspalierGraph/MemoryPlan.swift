/// Where the temporaries of a program live: offsets in one or more arenas, by liveness.
///
/// Two tensors that are alive together never overlap, except an output that takes the place of an input on
/// that input's last use. Placement is greedy by size, the largest first, at the lowest free offset.
/// Source: Pisarchyk & Lee 2020, "Greedy by Size for Offset Calculation".
public struct MemoryPlan: Sendable {
  public struct Placement: Sendable, Equatable {
    public let arena: Int
    public let offset: Int
    public let bytes: Int
  }

  /// What a backend says about a program before it is planned.
  public struct Constraints: Sendable {
    /// Of every placement, in bytes.
    public var alignment: Int
    /// The largest arena, in bytes.
    public var maxArenaBytes: Int
    /// Scratch of each node, in bytes.
    public var workspaces: [Int]
    /// Bit k of a node: its first output may not take the place of input k.
    public var inPlaceVetoes: [UInt8]
    /// Temporaries that fusion inside the backend keeps out of memory.
    public var vanishing: [Bool]
    /// The node that computes this one too, later; its inputs live until then.
    public var fusedInto: [Int?]

    public init(
      alignment: Int, maxArenaBytes: Int, workspaces: [Int], inPlaceVetoes: [UInt8],
      vanishing: [Bool], fusedInto: [Int?]
    ) {
      self.alignment = alignment
      self.maxArenaBytes = maxArenaBytes
      self.workspaces = workspaces
      self.inPlaceVetoes = inPlaceVetoes
      self.vanishing = vanishing
      self.fusedInto = fusedInto
    }
  }

  /// One per tensor; `nil` for what is bound or vanishes.
  public private(set) var tensors: [Placement?]
  /// One per node; `nil` without scratch.
  public private(set) var workspaces: [Placement?]
  /// The sizes of the arenas.
  public private(set) var arenaBytes: [Int] = []
  /// The most that temporaries alone take at one time; what the arenas have beyond it is scratch, and gaps.
  public let temporaryBytes: Int

  /// A block of memory with its lifetime in node positions, both ends included.
  private struct Block {
    var first: Int
    var last: Int
    var bytes: Int
    var members: [Int]
    var workspaceOf: Int?
  }

  public init(_ program: GraphProgram, _ constraints: Constraints) {
    tensors = [Placement?](repeating: nil, count: program.tensors.count)
    workspaces = [Placement?](repeating: nil, count: program.nodes.count)
    var blocks = Self.tensorBlocks(program, constraints)
    temporaryBytes = Self.peak(blocks, nodeCount: program.nodes.count, program.usesPlanner)
    for (node, bytes) in constraints.workspaces.enumerated() where bytes > 0 {
      blocks.append(Block(first: node, last: node, bytes: bytes, members: [], workspaceOf: node))
    }
    if !program.usesPlanner {
      for index in blocks.indices {
        (blocks[index].first, blocks[index].last) = (0, program.nodes.count)
      }
    }
    place(blocks, constraints)
  }

  /// The largest sum of blocks that are alive together.
  private static func peak(_ blocks: [Block], nodeCount: Int, _ sharesMemory: Bool) -> Int {
    if !sharesMemory { return blocks.reduce(0) { $0 + $1.bytes } }
    var changes = [Int](repeating: 0, count: nodeCount + 2)
    for block in blocks {
      changes[block.first] += block.bytes
      changes[max(block.first, block.last) + 1] -= block.bytes
    }
    var (now, most) = (0, 0)
    for change in changes {
      now += change
      most = max(most, now)
    }
    return most
  }

  /// One block per temporary, or per chain of temporaries that take each other's place.
  private static func tensorBlocks(_ program: GraphProgram, _ constraints: Constraints) -> [Block] {
    var lastUse = [Int](repeating: -1, count: program.tensors.count)
    for (position, node) in program.nodes.enumerated() {
      let end = constraints.fusedInto[position] ?? position
      for input in node.inputs { if let input { lastUse[input] = max(lastUse[input], end) } }
    }
    var blocks: [Block] = []
    var blockOf = [Int?](repeating: nil, count: program.tensors.count)
    for (position, node) in program.nodes.enumerated() {
      for (slot, output) in node.outputs.enumerated() {
        guard let output, program.tensors[output].role == .temporary,
          !constraints.vanishing[output]
        else { continue }
        let bytes = program.tensors[output].spec.byteCount
        let end = max(lastUse[output], constraints.fusedInto[position] ?? position)
        let reused =
          program.usesPlanner && slot == 0
          ? node.inPlaceInputs.lazy.compactMap { k -> Int? in
            guard k < node.inputs.count, constraints.inPlaceVetoes[position] & (1 << k) == 0,
              let input = node.inputs[k], let block = blockOf[input], lastUse[input] == position,
              program.tensors[input].spec.byteCount == bytes,
              node.inputs.filter({ $0 == input }).count == 1
            else { return nil }
            return block
          }.first : nil
        if let reused {
          blocks[reused].members.append(output)
          blocks[reused].last = max(blocks[reused].last, end)
          blockOf[output] = reused
        } else {
          blocks.append(Block(first: position, last: end, bytes: bytes, members: [output]))
          blockOf[output] = blocks.count - 1
        }
      }
    }
    return blocks
  }

  private mutating func place(_ blocks: [Block], _ constraints: Constraints) {
    let alignment = max(constraints.alignment, 1)
    let order = blocks.indices.sorted {
      (blocks[$0].bytes, blocks[$1].first) > (blocks[$1].bytes, blocks[$0].first)
    }
    var placed: [[(block: Block, offset: Int)]] = []
    for index in order {
      let block = blocks[index]
      var arena = 0
      var offset = 0
      while true {
        if arena == placed.count {
          placed.append([])
          arenaBytes.append(0)
        }
        offset = Self.lowestGap(for: block, among: placed[arena], alignment: alignment)
        if offset + block.bytes <= constraints.maxArenaBytes || placed[arena].isEmpty { break }
        arena += 1
      }
      let position = placed[arena].firstIndex { $0.offset > offset } ?? placed[arena].count
      placed[arena].insert((block, offset), at: position)
      arenaBytes[arena] = max(arenaBytes[arena], offset + block.bytes)
      let placement = Placement(arena: arena, offset: offset, bytes: block.bytes)
      for member in block.members { tensors[member] = placement }
      if let node = block.workspaceOf { workspaces[node] = placement }
    }
  }

  /// The lowest aligned offset where a block overlaps nothing alive at the same time; `placed` is sorted by
  /// offset.
  private static func lowestGap(
    for block: Block, among placed: [(block: Block, offset: Int)], alignment: Int
  ) -> Int {
    var offset = 0
    for other in placed
    where other.block.first <= block.last && block.first <= other.block.last {
      if offset + block.bytes <= other.offset { break }
      let end = other.offset + other.block.bytes
      offset = max(offset, (end + alignment - 1) / alignment * alignment)
    }
    return offset
  }
}
