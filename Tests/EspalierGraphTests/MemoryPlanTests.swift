import EspalierGraph
import EspalierTensors
import Testing

@Suite("MemoryPlan") struct MemoryPlanTests {
  /// A chain with a skip, big and small tensors, and an elementwise operation that can run in place.
  private func program(planner: Bool) throws -> GraphProgram {
    let graph = GraphBuilder(options: GraphOptions(fusion: false, planner: planner))
    var h = graph.input("x", [1, 4, 4, 8])
    let skip = h.silu()
    h = skip
    for layer in 0..<6 {
      let channels = layer % 2 == 0 ? 16 : 8
      h = h.conv2d(
        weight: graph.parameter("\(layer).weight", [channels, h.shape[-1], 1, 1]), path: "\(layer)")
      h = h.silu()
    }
    graph.output("y", (h + skip).relu())
    return try graph.lowered()
  }

  private func constraints(
    _ program: GraphProgram, maxArenaBytes: Int = .max, veto: UInt8 = 0
  ) -> MemoryPlan.Constraints {
    MemoryPlan.Constraints(
      alignment: 64, maxArenaBytes: maxArenaBytes,
      workspaces: program.nodes.indices.map { $0 % 3 == 0 ? 100 : 0 },
      inPlaceVetoes: [UInt8](repeating: veto, count: program.nodes.count),
      vanishing: [Bool](repeating: false, count: program.tensors.count),
      fusedInto: [Int?](repeating: nil, count: program.nodes.count))
  }

  /// Bytes that are alive at a node and overlap although they may not.
  private func conflicts(_ program: GraphProgram, _ plan: MemoryPlan) -> [String] {
    var conflicts: [String] = []
    var first = [Int](repeating: 0, count: program.tensors.count)
    var last = [Int](repeating: -1, count: program.tensors.count)
    for (position, node) in program.nodes.enumerated() {
      for output in node.outputs.compactMap(\.self) {
        (first[output], last[output]) = (position, position)
      }
      for input in node.inputs.compactMap(\.self) { last[input] = position }
    }
    for a in program.tensors.indices {
      for b in program.tensors.indices where a < b {
        guard let p = plan.tensors[a], let q = plan.tensors[b], p.arena == q.arena else { continue }
        let apart = p.offset + p.bytes <= q.offset || q.offset + q.bytes <= p.offset
        // At the node where one ends and the other begins they may share if they are in place.
        let alive = last[a] > first[b] && last[b] > first[a]
        if alive && !apart { conflicts.append("\(a) and \(b)") }
      }
    }
    return conflicts
  }

  @Test(arguments: [0, 0xff] as [UInt8])
  func `tensors alive together never overlap`(veto: UInt8) throws {
    let program = try program(planner: true)
    let plan = MemoryPlan(program, constraints(program, veto: veto))
    #expect(conflicts(program, plan).isEmpty)
    for (position, node) in program.nodes.enumerated() where veto == 0xff {
      let output = node.outputs[0].flatMap { plan.tensors[$0] }
      for input in node.inputs.compactMap({ $0.flatMap { plan.tensors[$0] } }) {
        if let output, output.arena == input.arena {
          #expect(
            output.offset + output.bytes <= input.offset
              || input.offset + input.bytes <= output.offset,
            "node \(position) writes over its input in spite of the veto")
        }
      }
    }
  }

  @Test func `every placement is aligned and inside its arena, scratch too`() throws {
    let program = try program(planner: true)
    let plan = MemoryPlan(program, constraints(program))
    for placement in (plan.tensors + plan.workspaces).compactMap(\.self) {
      #expect(placement.offset % 64 == 0)
      #expect(placement.offset + placement.bytes <= plan.arenaBytes[placement.arena])
    }
    #expect(plan.workspaces.map { $0 != nil } == program.nodes.indices.map { $0 % 3 == 0 })
  }

  @Test func `sharing needs less memory than a place for each`() throws {
    let shared = try program(planner: true)
    let separate = try program(planner: false)
    let sharedBytes = MemoryPlan(shared, constraints(shared)).arenaBytes.reduce(0, +)
    let plan = MemoryPlan(separate, constraints(separate))
    #expect(sharedBytes * 2 < plan.arenaBytes.reduce(0, +))
    let placements = plan.tensors.compactMap(\.self).sorted { $0.offset < $1.offset }
    for (a, b) in zip(placements, placements.dropFirst()) {
      #expect(a.offset + a.bytes <= b.offset)
    }
  }

  @Test func `no arena is larger than the device allows`() throws {
    let program = try program(planner: true)
    let plan = MemoryPlan(program, constraints(program, maxArenaBytes: 2048))
    #expect(plan.arenaBytes.count > 1)
    #expect(plan.arenaBytes.allSatisfy { $0 <= 2048 })
    #expect(conflicts(program, plan).isEmpty)
  }
}
