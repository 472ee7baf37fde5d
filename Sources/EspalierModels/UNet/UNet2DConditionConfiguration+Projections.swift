public import EspalierTensors

/// What the host computes for the U-Net before each step, in f32.
extension UNet2DConditionConfiguration {
  /// Sinusoids of the timesteps of B samples: f32 `[B, blockOutChannels[0]]`.
  public func timeProjection(_ timesteps: [Double]) -> HostTensor {
    SinusoidalEmbedding.timesteps(
      timesteps, dim: blockOutChannels[0], flipSinToCos: flipSinToCos, freqShift: freqShift)
  }

  /// The number of sizes and crop coordinates per sample, for pooled text of `textFeatures`; SDXL
  /// has 6, its refiner 5.
  public func timeIDCount(textFeatures: Int) -> Int {
    guard let total = projectionClassEmbeddingsInputDim, let each = additionTimeEmbedDim else {
      return 0
    }
    return max(total - textFeatures, 0) / each
  }

  /// Pooled text and sinusoids of the sizes side by side; nil for a network without added
  /// embedding.
  ///
  /// Source: Diffusers `get_aug_embed` with `addition_embed_type="text_time"`.
  ///
  /// - Parameters:
  ///   - textEmbeds: `[B, P]`.
  ///   - timeIDs: For each sample original height and width, crop top and left, target height and
  ///     width.
  /// - Returns: f32 `[B, projectionClassEmbeddingsInputDim]`.
  /// - Precondition: The numbers of samples and of features fit.
  public func additionProjection(textEmbeds: HostTensor, timeIDs: [[Double]]) -> HostTensor? {
    guard let total = projectionClassEmbeddingsInputDim, let each = additionTimeEmbedDim else {
      return nil
    }
    let textFeatures = textEmbeds.shape.last
    precondition(textEmbeds.shape == [timeIDs.count, textFeatures], "one row of time ids per text")
    precondition(
      timeIDs.allSatisfy { textFeatures + $0.count * each == total },
      "text and time ids do not fill \(total) features")
    let text = textEmbeds.floats()
    var values: [Float] = []
    values.reserveCapacity(timeIDs.count * total)
    for (row, ids) in timeIDs.enumerated() {
      values += text[row * textFeatures..<(row + 1) * textFeatures]
      values += SinusoidalEmbedding.timesteps(
        ids, dim: each, flipSinToCos: flipSinToCos, freqShift: freqShift
      ).floats()
    }
    return HostTensor(values, shape: [timeIDs.count, total])
  }
}
