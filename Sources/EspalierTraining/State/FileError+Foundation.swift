import EspalierTensors
import Foundation

extension FileError {
  /// The system's code inside an error of Foundation, `EIO` if it has none.
  static func code(of error: any Error) -> Int32 {
    let underlying = (error as NSError).userInfo[NSUnderlyingErrorKey] as? any Error
    return underlying.map { Int32(truncatingIfNeeded: ($0 as NSError).code) } ?? EIO
  }
}
