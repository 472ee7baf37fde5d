import Foundation

/// A piece of work at a size: a row of a table.
package struct BenchRow: Hashable {
  package let work: Work
  package let scale: Scale

  package init(_ work: Work, _ scale: Scale) {
    self.work = work
    self.scale = scale
  }

  /// For `--only`, and for progress: `unet-2@512`.
  package var name: String { "\(work.rawValue)@\(scale.rawValue)" }

  /// True if PyTorch is measured beside it: recomputation is there to fit, not to be fast.
  package var hasPeer: Bool { !work.isGradientCheckpointing }

  /// The parts of a model at a size.
  package static func parts(_ scale: Scale) -> [BenchRow] {
    let works: [Work] =
      if scale == .mini {
        [.trainingStep(batch: 8, .frozen), .unet(batch: 2), .unet(batch: 16)]
      } else if scale.resolution < 1024 {
        [
          .unet(batch: 2), .trainingStep(batch: 1, .frozen), .trainingStep(batch: 1, .reference),
        ]
      } else {
        [.unet(batch: 2), .trainingStep(batch: 1, .checkpointing)]
      }
    return (works + [.vaeDecode, .vaeEncode, .textEncoders, .adapter]).map { BenchRow($0, scale) }
  }

  /// Single operations at SDXL's shapes.
  package static func operations(_ scale: Scale) -> [BenchRow] {
    OperationShape.sdxl(resolution: scale.resolution).map { BenchRow(.operation($0), scale) }
  }
}

/// Which rows are measured.
package struct RowChoice {
  /// Sizes whose rows are all wanted.
  package var scales: [Scale] = []
  /// True for the rows that have a goal.
  package var goals = false
  /// True to leave out single operations.
  package var parts = false
  /// Parts of names; a row needs to have one of them. Empty: all rows.
  package var only: [String] = []

  package init(
    scales: [Scale] = [], goals: Bool = false, parts: Bool = false, only: [String] = []
  ) {
    self.scales = scales
    self.goals = goals
    self.parts = parts
    self.only = only
  }

  /// The sizes whose rows are wanted; the small model's if nothing is said.
  package var wantedScales: [Scale] { scales.isEmpty && !goals ? [.mini] : scales }

  /// The chosen rows, each once.
  ///
  /// - Throws: `RowChoiceError.nothing`.
  package func rows() throws(RowChoiceError) -> [BenchRow] {
    var candidates = goals ? Goal.all.map(\.row) : []
    for scale in wantedScales {
      candidates += BenchRow.parts(scale) + (parts ? [] : BenchRow.operations(scale))
    }
    var seen: Set<BenchRow> = []
    let rows = candidates.filter { seen.insert($0).inserted }
    let chosen = rows.filter { row in
      only.isEmpty || only.contains { row.name.localizedStandardContains($0) }
    }
    if chosen.isEmpty { throw .nothing(only: only, names: rows.map(\.name)) }
    return chosen
  }
}

/// A choice without rows.
package enum RowChoiceError: Error, Equatable, CustomStringConvertible {
  case nothing(only: [String], names: [String])

  package var description: String {
    switch self {
    case .nothing(let only, let names):
      "--only \(only.joined(separator: " --only ")) fits no row; expected a part of one of: "
        + names.joined(separator: ", ")
    }
  }
}
