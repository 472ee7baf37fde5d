/// Operations that move elements: concat, slice, pixel_unshuffle, cast, embedding, gather_rows.
enum LayoutCases {
  static var all: [ConformanceCase] {
    var cases = casts
    for activation in CaseTypes.activations {
      for (rows, widths) in [([3, 7], [5, 1, 8, 3]), ([1], [4, 9]), ([2, 5, 3], [64, 32])] {
        cases += concatAndSlice(rows, widths, activation, .small)
      }
      cases += concatAndSlice([1, 64, 64], [640, 320], activation, .sdxl)
      cases += [1, 2, 3].map { unshuffle([2, 2 * $0, 3 * $0, 5], $0, activation, .small) }
      cases.append(unshuffle([1, 1024, 1024, 3], 16, activation, .sdxl))
      for weight in [StorageType.float32, .float16, .bfloat16] {
        cases.append(embedding([2, 3], [11, 7], activation, weight, .small))
        cases.append(embedding([1, 77], [53, 40], activation, weight, .small))
      }
      cases.append(embedding([2, 77], [49_408, 768], activation, .float16, .sdxl))
      cases.append(gather([3, 4, 5], activation, .small))
      cases.append(gather([2, 77, 1280], activation, .sdxl))
    }
    return cases
  }

  private static func concatAndSlice(
    _ rows: [Int], _ widths: [Int], _ storage: StorageType, _ shapes: ShapeSet
  ) -> [ConformanceCase] {
    let total = widths.reduce(0, +)
    let whole = rows + [total]
    let work = Work.bytes(Double(2 * whole.reduce(storage.byteCount, *)))
    let concat = ConformanceCase(
      .concat, "\(rows) of \(widths), \(storage.name)", activation: storage, shapes: shapes,
      work: work
    ) {
      let parts = widths.enumerated().map {
        Operand.random(rows + [$1], seed: UInt64($0), storage: storage)
      }
      let starts = widths.indices.map { widths[..<$0].reduce(0, +) }
      return .init(
        OperationCall(.concat, parts, [.init(whole, storage)]),
        [
          .elements(of: whole.reduce(1, *), .exact, sample: .max) { place in
            let (row, column) = (place / total, place % total)
            let part = starts.lastIndex { $0 <= column } ?? 0
            return Double(parts[part].values[row * widths[part] + column - starts[part]])
          }
        ])
    }
    let slices = widths.indices.map { part in
      let (start, width) = (widths[..<part].reduce(0, +), widths[part])
      return ConformanceCase(
        .slice, "\(whole) from \(start), \(width) wide, \(storage.name)", activation: storage,
        shapes: shapes, work: .bytes(Double(2 * rows.reduce(width * storage.byteCount, *)))
      ) {
        let x = Operand.random(whole, seed: 9, storage: storage)
        return .init(
          OperationCall(
            .slice, [x], [.init(rows + [width], storage)], integers: [Int64(start)]),
          [
            .elements(of: rows.reduce(width, *), .exact, sample: .max) {
              Double(x.values[$0 / width * total + start + $0 % width])
            }
          ])
      }
    }
    return [concat] + slices
  }

  private static func unshuffle(
    _ shape: [Int], _ r: Int, _ storage: StorageType, _ shapes: ShapeSet
  ) -> ConformanceCase {
    let (rows, columns, channels) = (shape[1] / r, shape[2] / r, shape[3])
    let target = [shape[0], rows, columns, channels * r * r]
    return ConformanceCase(
      .pixelUnshuffle, "\(shape) by \(r), \(storage.name)", activation: storage, shapes: shapes,
      work: .bytes(Double(2 * shape.reduce(storage.byteCount, *)))
    ) {
      let x = Operand.random(shape, seed: 1, storage: storage)
      return .init(
        OperationCall(.pixelUnshuffle, [x], [.init(target, storage)], integers: [Int64(r)]),
        [
          .elements(of: target.reduce(1, *), .exact, sample: .max) { place in
            let (rest, inner) = (place / target[3], place % target[3])
            let (channel, dy, dx) = (inner / (r * r), inner / r % r, inner % r)
            let (b, row, column) = (rest / (rows * columns), rest / columns % rows, rest % columns)
            let line = b * shape[1] + row * r + dy
            return Double(x.values[(line * shape[2] + column * r + dx) * channels + channel])
          }
        ])
    }
  }

  /// Powers of two to both ends of f16, ties in f16 and bf16, infinity, and what overflows f16.
  private static var awkward: [Float] {
    var values: [Float] = []
    for step in 0..<117 {
      let exponent = -26 + 0.37 * Double(step)
      let whole = exponent.rounded(.down)
      let value = Double(sign: .plus, exponent: Int(whole), significand: 1 + (exponent - whole))
      values += [Float(value), -1.37 * Float(value)]
    }
    return values + [1 + 1 / 2048, 1 + 3 / 2048, 1 + 1 / 256, 1 + 3 / 256, .infinity, 65_520]
  }

  private static var casts: [ConformanceCase] {
    let large = [1, 128, 128, 320]
    return [StorageType.float16, .bfloat16].flatMap { narrow -> [ConformanceCase] in
      [(StorageType.float32, narrow), (narrow, .float32)].flatMap { from, to in
        [ShapeSet.small, .sdxl].map { shapes in
          let shape = shapes == .small ? [awkward.count] : large
          return ConformanceCase(
            .cast, "\(shape), \(from.name) to \(to.name)", activation: .float32, weight: narrow,
            shapes: shapes,
            work: .bytes(Double(shape.reduce(from.byteCount + to.byteCount, *)))
          ) {
            let x =
              shapes == .small
              ? Operand(awkward, shape: shape, storage: from)
              : Operand.random(shape, seed: 1, storage: from)
            let rounded = Operand(x.values, shape: shape, storage: to)
            return .init(
              OperationCall(.cast, [x], [.init(shape, to)]),
              [.all(rounded.values.map { Double($0) }, .exact)])
          }
        }
      }
    }
  }

  private static func embedding(
    _ ids: [Int], _ table: [Int], _ activation: StorageType, _ weight: StorageType,
    _ shapes: ShapeSet
  ) -> ConformanceCase {
    let (count, width) = (ids.reduce(1, *), table[1])
    return ConformanceCase(
      .embedding, "\(ids) of \(table), \(activation.name), weights \(weight.name)",
      activation: activation, weight: weight, shapes: shapes,
      work: .bytes(Double(count * width * (activation.byteCount + weight.byteCount)))
    ) {
      let rows = Operand.random(table, seed: 1, storage: weight, role: .weight)
      // The first, the last, and others with repetitions.
      let chosen = (0..<count).map { $0 == 1 ? table[0] - 1 : $0 * $0 * 7 % table[0] }
      let ids = Operand(chosen.map { Float($0) }, shape: ids, storage: .int32)
      return .init(
        OperationCall(.embedding, [ids, rows], [.init(ids.shape + [width], activation)]),
        [
          .elements(
            of: count * width,
            activation == .float32 || weight == .float16 ? .exact : Tolerance(ofLargest: 0),
            sample: .max
          ) { Double(rows.values[chosen[$0 / width] * width + $0 % width]) }
        ])
    }
  }

  private static func gather(
    _ shape: [Int], _ storage: StorageType, _ shapes: ShapeSet
  ) -> ConformanceCase {
    let (batch, rows, width) = (shape[0], shape[1], shape[2])
    return ConformanceCase(
      .gatherRows, "\(shape), \(storage.name)", activation: storage, shapes: shapes,
      work: .bytes(Double(2 * batch * width * storage.byteCount))
    ) {
      let x = Operand.random(shape, seed: 1, storage: storage)
      let chosen = (0..<batch).map { (rows - 1 + $0 * (rows + 1)) % rows }
      let index = Operand(chosen.map { Float($0) }, shape: [batch], storage: .int32)
      return .init(
        OperationCall(.gatherRows, [x, index], [.init([batch, width], storage)]),
        [
          .elements(of: batch * width, .exact, sample: .max) {
            Double(x.values[($0 / width * rows + chosen[$0 / width]) * width + $0 % width])
          }
        ])
    }
  }
}
