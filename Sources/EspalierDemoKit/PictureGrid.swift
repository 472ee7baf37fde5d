public import EspalierImages

/// Pictures of one size side by side, with thin gray gutters.
public enum PictureGrid {
  /// Puts rows of pictures, each as long as the first, below each other.
  ///
  /// - Precondition: there is a picture; all have one size, and all rows one length.
  public static func image(rows: [[Image]], gutter: Int = 2) -> Image {
    guard let first = rows.first?.first else { preconditionFailure("no pictures") }
    let columns = rows[0].count
    let (width, height) = (first.width, first.height)
    let totalWidth = columns * (width + gutter) + gutter
    let totalHeight = rows.count * (height + gutter) + gutter
    var bytes = [UInt8](repeating: 128, count: totalWidth * totalHeight * 3)
    for (row, pictures) in rows.enumerated() {
      precondition(pictures.count == columns, "rows of different lengths")
      for (column, picture) in pictures.enumerated() {
        precondition(picture.width == width && picture.height == height, "pictures differ in size")
        let source = picture.rgb8().bytes
        let left = gutter + column * (width + gutter)
        let top = gutter + row * (height + gutter)
        for y in 0..<height {
          let start = ((top + y) * totalWidth + left) * 3
          bytes.replaceSubrange(
            start..<start + width * 3, with: source[y * width * 3..<(y + 1) * width * 3])
        }
      }
    }
    return Image(width: totalWidth, height: totalHeight, channels: 3, bytes: bytes)
  }
}
