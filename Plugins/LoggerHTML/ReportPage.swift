import CReportPage
import EspalierPluginKit
import LogFiles

/// The page as one file: style, scripts, and all data and pictures of the moment.
enum ReportPage {
  /// - Parameters:
  ///   - data: The report as JSON.
  ///   - pictures: Each picture's file, by the name that the data call it.
  static func bytes(data: JSONValue, pictures: [(name: String, file: [UInt8])]) -> [UInt8] {
    var embedded: [UInt8] = Array("{".utf8)
    for (index, picture) in pictures.enumerated() {
      let key = escaped(JSONValue.string(picture.name).text)
      embedded += Array("\(index == 0 ? "" : ",")\(key):\"data:image/jpeg;base64,".utf8)
      embedded += base64(picture.file) + [UInt8(ascii: "\"")]
    }
    embedded.append(UInt8(ascii: "}"))
    var result: [UInt8] = []
    // The pieces of the template lie between marks like `@report@`.
    for (index, piece) in String(cString: html).split(separator: "@").enumerated() {
      switch piece {
      case _ where index % 2 == 0: result += piece.utf8
      case "page.css": result += String(cString: css).utf8
      case "page.js": result += String(cString: js).utf8
      case "report": result += escaped(data.text).utf8
      case "pictures": result += embedded
      default: break
      }
    }
    return result
  }

  /// JSON in which nothing ends the element around it.
  private static func escaped(_ json: String) -> String {
    json.split(separator: "<", omittingEmptySubsequences: false).joined(separator: "\\u003c")
  }

  private static let digits = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  /// Source: RFC 4648, section 4.
  private static func base64(_ bytes: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity((bytes.count + 2) / 3 * 4)
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let count = min(3, bytes.count - start)
      var group = 0
      for offset in 0..<3 { group = group << 8 | (offset < count ? Int(bytes[start + offset]) : 0) }
      for place in 0..<4 {
        result.append(
          place <= count ? digits[group >> (18 - 6 * place) & 63] : UInt8(ascii: "="))
      }
    }
    return result
  }

  // SAFETY: constant arrays of the library, zero-terminated.
  private static var html: UnsafePointer<CChar> { report_page_text(REPORT_PAGE_HTML) }
  private static var css: UnsafePointer<CChar> { report_page_text(REPORT_PAGE_CSS) }
  private static var js: UnsafePointer<CChar> { report_page_text(REPORT_PAGE_JS) }
}
