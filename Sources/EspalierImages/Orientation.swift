/// How a stored picture must be turned to stand upright: tag 0x0112 of EXIF.
enum Orientation: Int {
  case upright = 1
  case mirrored = 2
  case upsideDown = 3
  case flipped = 4
  case transposed = 5
  case quarterClockwise = 6
  case transverse = 7
  case quarterCounterclockwise = 8

  /// Reads the TIFF structure of an EXIF block; upright for anything absent or wrong.
  init(exif bytes: UnsafeRawBufferPointer) {
    self = Self.read(bytes).flatMap(Orientation.init(rawValue:)) ?? .upright
  }

  private static func read(_ bytes: UnsafeRawBufferPointer) -> Int? {
    let littleEndian: Bool
    if bytes.starts(with: [0x49, 0x49, 42, 0]) {
      littleEndian = true
    } else if bytes.starts(with: [0x4D, 0x4D, 0, 42]) {
      littleEndian = false
    } else {
      return nil
    }
    func number(at offset: Int, byteCount: Int) -> Int? {
      guard offset >= 0, offset <= bytes.count - byteCount else { return nil }
      let part = bytes[offset..<offset + byteCount]
      return (littleEndian ? Array(part.reversed()) : Array(part)).reduce(0) { $0 << 8 | Int($1) }
    }
    guard let directory = number(at: 4, byteCount: 4),
      let count = number(at: directory, byteCount: 2)
    else { return nil }
    for entry in 0..<count {
      let start = directory + 2 + 12 * entry
      guard let tag = number(at: start, byteCount: 2),
        let type = number(at: start + 2, byteCount: 2)
      else { return nil }
      if tag == 0x0112 {
        return number(at: start + 8, byteCount: type == 4 ? 4 : 2)
      }
    }
    return nil
  }
}

extension Image {
  /// The picture turned as the orientation asks for.
  func oriented(_ orientation: Orientation) -> Image {
    let (right, bottom) = (width - 1, height - 1)
    switch orientation {
    case .upright: return self
    case .mirrored: return gathered(width: width, height: height) { (right - $0, $1) }
    case .upsideDown: return gathered(width: width, height: height) { (right - $0, bottom - $1) }
    case .flipped: return gathered(width: width, height: height) { ($0, bottom - $1) }
    case .transposed: return gathered(width: height, height: width) { ($1, $0) }
    case .quarterClockwise: return gathered(width: height, height: width) { ($1, bottom - $0) }
    case .transverse: return gathered(width: height, height: width) { (right - $1, bottom - $0) }
    case .quarterCounterclockwise:
      return gathered(width: height, height: width) { (right - $1, $0) }
    }
  }
}
