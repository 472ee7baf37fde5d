public import EspalierTensors

extension Image {
  /// RGB in 8 bits as Pillow's `convert("RGB")`: gray is repeated, alpha dropped, 16-bit samples
  /// keep their upper half.
  public func rgb8() -> Image {
    let source = bytes
    if channels == 3 { return Image(width: width, height: height, channels: 3, bytes: source) }
    let result = [UInt8](unsafeUninitializedCapacity: width * height * 3) { target, count in
      for pixel in 0..<width * height {
        for c in 0..<3 {
          target[pixel * 3 + c] = source[pixel * channels + (channels < 3 ? 0 : c)]
        }
      }
      count = width * height * 3
    }
    return Image(width: width, height: height, channels: 3, bytes: result)
  }

  /// Gray in 8 bits as Pillow's `convert("L")`: the luma of ITU-R 601-2; alpha is dropped.
  public func gray8() -> Image {
    let source = bytes
    if channels == 1 { return Image(width: width, height: height, channels: 1, bytes: source) }
    let result = [UInt8](unsafeUninitializedCapacity: width * height) { target, count in
      for pixel in 0..<width * height {
        let start = pixel * channels
        target[pixel] =
          channels == 2
          ? source[start] : Self.luma(source[start], source[start + 1], source[start + 2])
      }
      count = width * height
    }
    return Image(width: width, height: height, channels: 1, bytes: result)
  }

  private static func luma(_ red: UInt8, _ green: UInt8, _ blue: UInt8) -> UInt8 {
    let sum: UInt32 = UInt32(red) * 19595 + UInt32(green) * 38470 + UInt32(blue) * 7471
    return UInt8((sum + 0x8000) >> 16)
  }

  /// The picture as float32 `[height, width, channels]` in 0...1, with 1 or 3 channels; alpha is
  /// dropped.
  ///
  /// 8-bit samples are what `rgb8()` or `gray8()` gives, divided by 255. 16-bit samples keep their
  /// precision: they are divided by 65535, so a depth map keeps all its levels.
  ///
  /// - Precondition: `channels` is 1 or 3.
  public func floats(channels wanted: Int) -> HostTensor {
    precondition(wanted == 1 || wanted == 3, "\(wanted) channels")
    let result = HostTensor(shape: [height, width, wanted])
    result.withMutableFloats { target in
      switch samples {
      case .bytes:
        let source = (wanted == 1 ? gray8() : rgb8()).bytes
        for k in target.indices { target[k] = Float(source[k]) / 255 }
      case .words(let source):
        for pixel in 0..<width * height {
          let start = pixel * channels
          for c in 0..<wanted {
            let value =
              wanted == 1 && channels > 2
              ? Self.luma(source[start], source[start + 1], source[start + 2])
              : Float(source[start + (channels > 2 ? c : 0)])
            target[pixel * wanted + c] = value / 65535
          }
        }
      }
    }
    return result
  }

  private static func luma(_ red: UInt16, _ green: UInt16, _ blue: UInt16) -> Float {
    let sum: Double = Double(red) * 19595 + Double(green) * 38470 + Double(blue) * 7471
    return Float(sum / 65536)
  }

  /// The order of axes in a tensor of one picture.
  public enum Layout: Sendable {
    /// `[height, width, channels]`
    case channelsLast
    /// `[channels, height, width]`
    case channelsFirst
  }

  /// An 8-bit picture from a float32 tensor in 0...1, as NumPy's `(x * 255).round()`: half to even;
  /// values outside are clamped, NaN becomes 0.
  ///
  /// - Precondition: three axes, 1 to 4 channels.
  public init(floats: HostTensor, layout: Layout = .channelsLast) {
    let dims = floats.shape.dims
    precondition(dims.count == 3, "\(floats.shape) is not one picture")
    let last = layout == .channelsLast
    let (height, width) = last ? (dims[0], dims[1]) : (dims[1], dims[2])
    let channels = last ? dims[2] : dims[0]
    let values = floats.floats()
    let bytes = [UInt8](unsafeUninitializedCapacity: values.count) { target, count in
      for pixel in 0..<width * height {
        for c in 0..<channels {
          let value = last ? values[pixel * channels + c] : values[c * width * height + pixel]
          let level = (value * 255).rounded(.toNearestOrEven)
          target[pixel * channels + c] = level > 0 ? UInt8(min(level, 255)) : 0
        }
      }
      count = values.count
    }
    self.init(width: width, height: height, channels: channels, bytes: bytes)
  }
}
