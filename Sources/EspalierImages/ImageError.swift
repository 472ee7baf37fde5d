public import EspalierTensors

/// What can be wrong with an image file.
public enum ImageError: Error, Equatable, CustomStringConvertible {
  /// The system refused a file operation.
  case file(FileError)
  /// The file is neither PNG nor JPEG; `found` says what it seems to be.
  case unknownFormat(path: String, found: String)
  /// The file is damaged or cut off, or of a kind that is not read; `reason` is the decoder's.
  case damaged(path: String, format: String, reason: String)
  /// The image has more pixels than are read.
  case tooLarge(path: String, width: Int, height: Int)
  /// The system has no memory for the image.
  case noMemory(path: String, width: Int, height: Int)
  /// A text cannot be stored in a PNG file.
  case unsuitableText(path: String, key: String, reason: String)

  public var description: String {
    switch self {
    case .file(let error):
      return error.description
    case .unknownFormat(let path, let found):
      return """
        this is not an image that Espalier reads
          file      \(path)
          expected  a PNG or JPEG file
          found     \(found)
          hint      convert it to PNG
        """
    case .damaged(let path, let format, let reason):
      return """
        the image cannot be decoded
          file      \(path)
          expected  a whole \(format) file
          found     \(reason)
          hint      copy or download the file again, or take it out of the data
        """
    case .tooLarge(let path, let width, let height):
      return """
        the image is too large
          file      \(path)
          expected  at most \(Image.largestSide) pixels a side and \(Image.mostPixels) in all
          found     \(width) × \(height)
          hint      scale it down
        """
    case .noMemory(let path, let width, let height):
      return """
        there is no memory for the image
          file      \(path)
          found     \(width) × \(height)
          hint      scale it down or close other programs
        """
    case .unsuitableText(let path, let key, let reason):
      return """
        a text cannot be stored in the image
          file      \(path)
          key       \(key)
          found     \(reason)
          hint      keys have 1 to 79 Latin-1 characters; texts have no NUL
        """
    }
  }
}
