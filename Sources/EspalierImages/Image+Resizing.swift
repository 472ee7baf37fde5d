extension Image {
  /// The picture in another size, bit for bit as Pillow's `Image.resize` for 8-bit samples.
  ///
  /// Two passes with fixed-point weights and rounding to 8 bits between them; with an alpha channel
  /// the colours are multiplied by it before and divided after. 16-bit samples use double-precision
  /// weights.
  ///
  /// - Precondition: both sizes are at least 1, and so are the picture's.
  public func resized(width newWidth: Int, height newHeight: Int, filter: ResamplingFilter) -> Image
  {
    precondition(
      newWidth > 0 && newHeight > 0 && width > 0 && height > 0,
      "cannot resize \(width) × \(height) to \(newWidth) × \(newHeight)")
    if newWidth == width && newHeight == height { return self }
    if filter == .nearest { return nearest(width: newWidth, height: newHeight) }
    let across =
      newWidth == width
      ? nil : ResamplingWeights(from: width, to: newWidth, filter: filter)
    let down =
      newHeight == height
      ? nil : ResamplingWeights(from: height, to: newHeight, filter: filter)
    // Pillow 13 starts with the columns if that takes away clearly more; the rounding in between
    // shows it.
    let columnsFirst =
      newHeight < height && height - newHeight > 2 * (width - newWidth)
    switch samples {
    case .bytes(let source):
      let hasAlpha = channels == 2 || channels == 4
      var values = hasAlpha ? Alpha.multiplied(source, channels: channels) : source
      if columnsFirst, let down { values = down.vertical(values, rowLength: width * channels) }
      if let across { values = across.horizontal(values, width: width, channels: channels) }
      if !columnsFirst, let down { values = down.vertical(values, rowLength: newWidth * channels) }
      if hasAlpha { values = Alpha.divided(values, channels: channels) }
      return Image(width: newWidth, height: newHeight, channels: channels, bytes: values)
    case .words(let source):
      var values = source
      if columnsFirst, let down { values = down.vertical(values, rowLength: width * channels) }
      if let across { values = across.horizontal(values, width: width, channels: channels) }
      if !columnsFirst, let down { values = down.vertical(values, rowLength: newWidth * channels) }
      return Image(width: newWidth, height: newHeight, channels: channels, words: values)
    }
  }

  /// Each pixel from the one under its middle.
  private func nearest(width newWidth: Int, height newHeight: Int) -> Image {
    // Pillow sums the positions of bytes up and multiplies those of words; rounding shows the
    // difference.
    let isSummed = bitDepth == 8
    func positions(_ size: Int, _ newSize: Int) -> [Int] {
      let step = Double(size) / Double(newSize)
      var position = step * 0.5
      return (0..<newSize).map { index in
        defer { position += step }
        return min(Int(isSummed ? position : (Double(index) + 0.5) * step), size - 1)
      }
    }
    let (xs, ys) = (positions(width, newWidth), positions(height, newHeight))
    return gathered(width: newWidth, height: newHeight) { (xs[$0], ys[$1]) }
  }
}

extension ResamplingWeights {
  /// Resamples every row of interleaved bytes.
  func horizontal(_ source: [UInt8], width: Int, channels: Int) -> [UInt8] {
    let newWidth = starts.count
    let height = source.count / (width * channels)
    let weights = fixedPoint
    return [UInt8](unsafeUninitializedCapacity: newWidth * height * channels) { target, written in
      source.withUnsafeBufferPointer { source in
        weights.withUnsafeBufferPointer { weights in
          for y in 0..<height {
            for x in 0..<newWidth {
              let first = (y * width + starts[x]) * channels
              let to = (y * newWidth + x) * channels
              for c in 0..<channels {
                var sum: Int32 = 1 << (Self.precision - 1)
                for k in 0..<counts[x] {
                  sum &+= Int32(source[first + k * channels + c]) &* weights[x * stride + k]
                }
                target[to + c] = Self.clipped(sum)
              }
            }
          }
        }
      }
      written = newWidth * height * channels
    }
  }

  /// Resamples every column of rows with `rowLength` bytes.
  func vertical(_ source: [UInt8], rowLength: Int) -> [UInt8] {
    let weights = fixedPoint
    var sums = [Int32](repeating: 0, count: rowLength)
    return [UInt8](unsafeUninitializedCapacity: starts.count * rowLength) { target, written in
      source.withUnsafeBufferPointer { source in
        sums.withUnsafeMutableBufferPointer { sums in
          for y in starts.indices {
            sums.update(repeating: 1 << (Self.precision - 1))
            for k in 0..<counts[y] {
              let weight = weights[y * stride + k]
              let row = (starts[y] + k) * rowLength
              for x in 0..<rowLength { sums[x] &+= Int32(source[row + x]) &* weight }
            }
            for x in 0..<rowLength { target[y * rowLength + x] = Self.clipped(sums[x]) }
          }
        }
      }
      written = starts.count * rowLength
    }
  }

  @inline(__always)
  private static func clipped(_ sum: Int32) -> UInt8 {
    UInt8(truncatingIfNeeded: min(max(sum >> Int32(precision), 0), 255))
  }

  /// Resamples every row of interleaved 16-bit samples.
  func horizontal(_ source: [UInt16], width: Int, channels: Int) -> [UInt16] {
    let newWidth = starts.count
    let height = source.count / (width * channels)
    var result: [UInt16] = []
    result.reserveCapacity(newWidth * height * channels)
    for y in 0..<height {
      for x in 0..<newWidth {
        let first = (y * width + starts[x]) * channels
        for c in 0..<channels {
          var sum = 0.0
          for k in 0..<counts[x] {
            sum += Double(source[first + k * channels + c]) * weights[x * stride + k]
          }
          result.append(Self.rounded(sum))
        }
      }
    }
    return result
  }

  /// Resamples every column of rows with `rowLength` 16-bit samples.
  func vertical(_ source: [UInt16], rowLength: Int) -> [UInt16] {
    var result: [UInt16] = []
    result.reserveCapacity(starts.count * rowLength)
    for y in starts.indices {
      for x in 0..<rowLength {
        var sum = 0.0
        for k in 0..<counts[y] {
          sum += Double(source[(starts[y] + k) * rowLength + x]) * weights[y * stride + k]
        }
        result.append(Self.rounded(sum))
      }
    }
    return result
  }

  private static func rounded(_ sum: Double) -> UInt16 {
    UInt16(min(max(sum.rounded(), 0), 65535))
  }
}

/// Multiplying colours by alpha and back, in the roundings of Pillow.
private enum Alpha {
  static func multiplied(_ source: [UInt8], channels: Int) -> [UInt8] {
    var result = source
    for pixel in stride(from: 0, to: source.count, by: channels) {
      let alpha = UInt32(source[pixel + channels - 1])
      for c in pixel..<pixel + channels - 1 {
        let product = UInt32(source[c]) * alpha + 128
        result[c] = UInt8(((product >> 8) + product) >> 8)
      }
    }
    return result
  }

  static func divided(_ source: [UInt8], channels: Int) -> [UInt8] {
    var result = source
    for pixel in stride(from: 0, to: source.count, by: channels) {
      let alpha = UInt32(source[pixel + channels - 1])
      if alpha == 0 || alpha == 255 { continue }
      for c in pixel..<pixel + channels - 1 {
        result[c] = UInt8(min(255 * UInt32(source[c]) / alpha, 255))
      }
    }
    return result
  }
}
