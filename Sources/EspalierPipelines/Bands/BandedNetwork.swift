import EspalierGraph
import EspalierHost
import EspalierModels
import EspalierTensors

/// A network in bands for maps of one size: where its maps are cut, and the program of each band.
struct BandedNetwork {
  let stages: [BandStage]
  /// Shapes of all maps by their numbers.
  let shapes: [Int: Shape]
  /// The rows of the results of each stage, band by band.
  let bands: [[Range<Int>]]
  let normGroups: Int
  let normEpsilon: Double

  /// - Parameters:
  ///   - input: `[1, H, W, C]`.
  ///   - bandByteLimit: What the maps of a band take together, as far as a few rows allow.
  ///   - bufferByteLimit: What one map of a band takes at most.
  init(
    _ network: any BandedAutoencoder, _ stages: [BandStage], input: Shape, bandByteLimit: Int,
    bufferByteLimit: Int
  ) {
    self.stages = stages
    normGroups = network.normGroups
    normEpsilon = network.normEpsilon
    var shapes = [0: input]
    for output in stages.flatMap(\.outputs) { shapes[output.map] = output.shape }
    self.shapes = shapes
    bands = stages.map { stage in
      guard stage.isDivisible else { return [0..<stage.height] }
      let rows = Self.rows(stage, shapes, bandByteLimit, bufferByteLimit)
      return Self.cut(stage.height, rows: rows, at: stage.cuts)
    }
  }

  /// Rows of a band's results.
  private static func rows(
    _ stage: BandStage, _ shapes: [Int: Shape], _ bandByteLimit: Int, _ bufferByteLimit: Int
  ) -> Int {
    // A map that is normalised, activated and doubled on the way is there a few times.
    let maps =
      stage.inputs.map(\.map) + stage.outputs.map(\.map)
      + (stage.normalises.map { [$0, $0] } ?? [])
    let bytes = maps.map { map in
      shapes[map].map { $0.count * 4 / max(stage.height, 1) } ?? 0
    }
    let all = bytes.reduce(0, +)
    let most = bytes.max() ?? 0
    return max(
      1, min(bandByteLimit / max(all, 1), bufferByteLimit / max(most, 1) - 4))
  }

  static func cut(_ height: Int, rows: Int, at cuts: BandStage.Cuts) -> [Range<Int>] {
    var result: [Range<Int>] = []
    var first = 0
    while first < height {
      let end = min(cuts.next(first + rows), height)
      result.append(first..<end)
      first = end
    }
    return result
  }

  /// Bands whose programs are equal share a key.
  struct Key: Hashable {
    let outputRows: Int
    let inputRows: [Int]
    let isFirst, isLast: Bool
  }

  func key(_ stage: BandStage, _ band: Range<Int>) -> Key {
    Key(
      outputRows: band.count, inputRows: stage.inputs.map { $0.rows(band).count },
      isFirst: band.lowerBound == 0, isLast: band.upperBound == stage.height)
  }

  /// The names of a program's inputs and outputs.
  static func input(_ place: Int) -> String { "map.\(place)" }
  static func output(_ place: Int) -> String { "result.\(place)" }
  static func mean(_ place: Int?) -> String { place.map { "mean.\($0)" } ?? "mean" }
  static func reciprocalDeviation(_ place: Int?) -> String {
    place.map { "reciprocal_deviation.\($0)" } ?? "reciprocal_deviation"
  }

  /// The program of a band, and the rows that each of its results covers.
  ///
  /// - Throws: `GraphError`.
  func program(
    _ stage: BandStage, _ band: Range<Int>
  ) throws -> (program: GraphProgram, rows: [Range<Int>]) {
    let graph = GraphBuilder()
    let inputs = stage.inputs.enumerated().map { place, input in
      let shape = shapes[input.map] ?? []
      return graph.input(
        Self.input(place), [1, input.rows(band).count, shape[2], shape[3]])
    }
    let statistics = stage.normalises.map { map in
      let shape = Shape([1, shapes[map]?.last ?? 1])
      return NormStatistics(
        mean: graph.input(Self.mean(nil), shape),
        reciprocalDeviation: graph.input(Self.reciprocalDeviation(nil), shape))
    }
    let results = stage.emit(
      graph, BandStage.Band(rows: band, inputs: inputs, statistics: statistics))
    for (place, output) in stage.outputs.enumerated() {
      let value = results[place].value
      if output.isStored { graph.output(Self.output(place), value) }
      if output.isNormalised {
        precondition(results[place].rows == band, "statistics of rows that were not asked for")
        let measured = stage.measure(graph, value)
        graph.output(Self.mean(place), measured.mean)
        graph.output(Self.reciprocalDeviation(place), measured.reciprocalDeviation)
      }
    }
    return (try graph.lowered(), results.map(\.rows))
  }

  /// The maps that are held while a stage runs and were not made by it.
  func held(during position: Int) -> Set<Int> {
    let made = Set([0] + stages[..<position].flatMap(\.outputs).filter(\.isStored).map(\.map))
    let read = Set(stages[position...].flatMap(\.inputs).map(\.map))
    return made.intersection(read)
  }

  /// Bytes of the maps on the host while a stage runs.
  func hostBytes(during position: Int) -> Int {
    let held = held(during: position).reduce(0) { $0 + (shapes[$1]?.count ?? 0) * 4 }
    return stages[position].outputs.reduce(held) {
      $0 + ($1.isStored && $1.replaces == nil ? $1.shape.count * 4 : 0)
    }
  }
}
