public import EspalierImages

extension Circle {
  /// The target: the disc with a smooth edge on its ground, RGB.
  ///
  /// - Precondition: `resolution` is at least 1.
  public func targetImage(resolution: Int) -> Image {
    let edge = radius * Float(resolution)
    return picture(resolution) { distance in
      let coverage = min(max(edge - distance + 0.5, 0), 1)
      return background.rgb + coverage * (color.rgb - background.rgb)
    }
  }

  /// The control image: the disc's outline in white on black, 2 pixels wide at a side of 128, RGB.
  ///
  /// - Precondition: `resolution` is at least 1.
  public func sourceImage(resolution: Int) -> Image {
    let edge = radius * Float(resolution)
    let halfWidth = Float(resolution) / 128
    return picture(resolution) { distance in
      let coverage = min(max(halfWidth - abs(edge - distance) + 0.5, 0), 1)
      return SIMD3(repeating: 255 * min(coverage, 2 * halfWidth))
    }
  }

  /// The pixels whose middle lies in the disc.
  public func mask(resolution: Int) -> PixelMask {
    let edge = radius * Float(resolution)
    return PixelMask(width: resolution, height: resolution) { x, y in
      distance(x: x, y: y, resolution: resolution) <= edge
    }
  }

  private func picture(
    _ resolution: Int, color: (_ distance: Float) -> SIMD3<Float>
  ) -> Image {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(resolution * resolution * 3)
    for y in 0..<resolution {
      for x in 0..<resolution {
        let rgb = color(distance(x: x, y: y, resolution: resolution)).rounded(.toNearestOrEven)
        for c in 0..<3 { bytes.append(UInt8(rgb[c])) }
      }
    }
    return Image(width: resolution, height: resolution, channels: 3, bytes: bytes)
  }
}
