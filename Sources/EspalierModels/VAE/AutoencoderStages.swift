import EspalierGraph
import EspalierTensors

/// Lists the steps of an `AutoencoderKL` that is computed in bands; maps get their numbers as they are made.
struct AutoencoderStages {
  /// Finds a layer in the network of whichever graph a step is emitted into.
  typealias Finding<Layer> = @Sendable (AutoencoderKL) -> Layer

  /// An upsampling whose result is not held.
  struct Doubling: Sendable {
    let shape: Shape
    let layer: Finding<Upsample2D?>

    init(_ shape: Shape, layer: @escaping Finding<Upsample2D?>) {
      self.shape = shape
      self.layer = layer
    }
  }

  private(set) var stages: [BandStage] = []
  private let path: String
  private let declare: @Sendable (GraphBuilder) -> AutoencoderKL
  private var mapCount = 1

  init(_ network: AutoencoderKL) {
    let (path, configuration) = (network.path, network.configuration)
    self.path = path
    declare = { AutoencoderKL($0.scope(path), configuration) }
  }

  /// Everything at once.
  @discardableResult
  mutating func whole(
    _ x: Int, height: Int, _ shape: Shape, at layer: String, norm: Finding<GroupNorm>?,
    emit: @escaping @Sendable (AutoencoderKL, Value) -> Value
  ) -> Int {
    let declare = declare
    let output = output(shape, isNormalised: norm != nil)
    var stage = BandStage(
      path: path + "." + layer, inputs: [.init(x) { _ in 0..<height }], outputs: [output],
      measure: measure(norm)
    ) { graph, band in [(emit(declare(graph), band.inputs[0]), band.rows)] }
    stage.isDivisible = false
    stages.append(stage)
    return output.map
  }

  /// A convolution by itself.
  mutating func convolution(
    _ x: Int, _ shape: Shape, norm: Finding<GroupNorm>?, inputHeight: Int,
    layer: @escaping Finding<Conv2d?>
  ) -> Int {
    let declare = declare
    let output = output(shape, isNormalised: norm != nil)
    let conv = layer(declare(GraphBuilder()))
    let (stride, padding) = (conv?.stride ?? 1, conv?.padding ?? Padding2D(1))
    let window: @Sendable (Range<Int>) -> RowWindow = {
      RowWindow(
        of: $0, stride: stride, padding: (padding.top, padding.bottom), height: inputHeight)
    }
    stages.append(
      BandStage(
        path: conv?.path ?? path, inputs: [.init(x) { window($0).rows }], outputs: [output],
        measure: measure(norm)
      ) { graph, band in
        let x = band.inputs[0]
        return [(layer(declare(graph))?(x, window(band.rows)) ?? x, band.rows)]
      })
    return output.map
  }

  /// An upsampling whose result is held.
  mutating func doubled(
    _ x: Int, _ doubling: Doubling, norm: @escaping Finding<GroupNorm>
  ) -> Int {
    var output = output(doubling.shape, isNormalised: true)
    output.isStored = true
    stages.append(stage(x, doubling, output, norm))
    return output.map
  }

  /// A residual block in two steps: up to the second norm, whose statistics must be complete, and from there.
  ///
  /// - Parameters:
  ///   - doubling: An upsampling in front of it, whose result is computed again in every step.
  ///   - isNormalised: True if a group norm reads the result.
  mutating func resnet(
    _ x: Int, _ shape: Shape, _ block: ResnetBlock2D, behind doubling: Doubling?,
    isNormalised: Bool, layer: @escaping Finding<ResnetBlock2D>
  ) -> Int {
    var normalised = x
    if let doubling {
      var measured = output(doubling.shape, isNormalised: true)
      measured.isStored = false
      stages.append(stage(x, doubling, measured) { layer($0).norm1 })
      normalised = measured.map
    }
    let h = output(shape, isNormalised: true)
    let residual =
      doubling == nil && block.convShortcut == nil ? nil : output(shape, isNormalised: false)
    stages.append(
      firstHalf(
        x, normalises: normalised, [h] + (residual.map { [$0] } ?? []), doubling, layer,
        at: block.conv1.path))
    var y = output(shape, isNormalised: isNormalised)
    y.replaces = 1
    stages.append(secondHalf(h.map, residual?.map ?? x, y, layer, at: block.conv2.path))
    return y.map
  }

  /// The last norm and convolution of the decoder.
  mutating func end(_ x: Int, _ shape: Shape) {
    let declare = declare
    let height = shape[1]
    var stage = BandStage(
      path: path + ".decoder.conv_out",
      inputs: [.init(x) { RowWindow(of: $0, height: height).rows }],
      outputs: [output(shape, isNormalised: false)], measure: measure(nil)
    ) { graph, band in
      let decoder = declare(graph).decoder
      let h = normalised(band, decoder.convNormOut, band.inputs[0])
      return [(decoder.convOut(h, RowWindow(of: band.rows, height: height)), band.rows)]
    }
    stage.normalises = x
    stages.append(stage)
  }

  // MARK: - Parts

  private func firstHalf(
    _ x: Int, normalises map: Int, _ outputs: [BandStage.Output], _ doubling: Doubling?,
    _ layer: @escaping Finding<ResnetBlock2D>, at layerPath: String
  ) -> BandStage {
    let declare = declare
    let height = outputs[0].shape[1]
    let window: @Sendable (Range<Int>) -> RowWindow = { RowWindow(of: $0, height: height) }
    let doubled: @Sendable (Range<Int>) -> DoubledRowWindow = {
      DoubledRowWindow(of: window($0).rows, height: height / 2)
    }
    let upsampler = doubling?.layer
    let keepsResidual = outputs.count > 1
    var stage = BandStage(
      path: layerPath,
      inputs: [
        .init(x) { upsampler == nil ? window($0).rows : doubled($0).rows }
      ], outputs: outputs, measure: measure { layer($0).norm2 }
    ) { graph, band in
      let network = declare(graph)
      let block = layer(network)
      var x = band.inputs[0]
      if let up = upsampler?(network) { x = up(x, doubled(band.rows)) }
      let window = window(band.rows)
      let h = block.conv1(normalised(band, block.norm1, x), window)
      let residual = keepsResidual ? [(block.convShortcut?(x) ?? x, window.rows)] : []
      return [(h, band.rows)] + residual
    }
    stage.normalises = map
    if doubling != nil { stage.cuts = .evenRows }
    return stage
  }

  private func secondHalf(
    _ h: Int, _ residual: Int, _ output: BandStage.Output,
    _ layer: @escaping Finding<ResnetBlock2D>, at layerPath: String
  ) -> BandStage {
    let declare = declare
    let height = output.shape[1]
    var stage = BandStage(
      path: layerPath,
      inputs: [
        .init(h) { RowWindow(of: $0, height: height).rows }, .init(residual) { $0 },
      ], outputs: [output], measure: measure { layer($0).norm2 }
    ) { graph, band in
      let block = layer(declare(graph))
      let h = normalised(band, block.norm2, band.inputs[0])
      let y = block.conv2(h, RowWindow(of: band.rows, height: height)) + band.inputs[1]
      return [(y, band.rows)]
    }
    stage.normalises = h
    return stage
  }

  private func stage(
    _ x: Int, _ doubling: Doubling, _ output: BandStage.Output, _ norm: @escaping Finding<GroupNorm>
  ) -> BandStage {
    let declare = declare
    let height = doubling.shape[1] / 2
    var stage = BandStage(
      path: path + ".upsampler",
      inputs: [.init(x) { DoubledRowWindow(of: $0, height: height).rows }], outputs: [output],
      measure: measure(norm)
    ) { graph, band in
      let window = DoubledRowWindow(of: band.rows, height: height)
      let x = band.inputs[0]
      return [(doubling.layer(declare(graph))?(x, window) ?? x, window.result)]
    }
    // At odd rows a band of the result needs whole rows of the map, and gives no more than was asked for.
    stage.cuts = .oddRows
    return stage
  }

  private mutating func output(_ shape: Shape, isNormalised: Bool) -> BandStage.Output {
    var output = BandStage.Output(mapCount, shape)
    output.isNormalised = isNormalised
    mapCount += 1
    return output
  }

  private func measure(
    _ norm: Finding<GroupNorm>?
  ) -> @Sendable (GraphBuilder, Value) -> NormStatistics {
    let declare = declare
    return { graph, value in
      norm?(declare(graph)).statistics(of: value)
        ?? NormStatistics(mean: value, reciprocalDeviation: value)
    }
  }
}

/// The norm of a band with the statistics of its map, and the activation behind it.
private func normalised(_ band: BandStage.Band, _ norm: GroupNorm, _ x: Value) -> Value {
  (band.statistics.map { norm(x, with: $0) } ?? norm(x)).silu()
}
