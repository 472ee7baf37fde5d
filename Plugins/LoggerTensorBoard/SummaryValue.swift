import EspalierPluginKit
import LogFiles

/// What an event records under one tag.
///
/// Source: TensorBoard `compat/proto/summary.proto` and the summary functions of its plugins.
enum SummaryValue {
  /// A number; kept in 32 bits.
  case scalar(Double)
  /// PNG files of one width and height, shown as samples of one step.
  case images(width: Int, height: Int, files: [[UInt8]], description: String)
  /// A text in Markdown.
  case text(String)
  /// Data of the page with hyperparameters.
  case hyperparameters(ProtobufMessage)

  /// A `Summary.Value`.
  func write(tag: String, to value: inout ProtobufMessage) {
    value.add(1, tag)
    switch self {
    case .scalar(let number):
      // Also where it is 0: the field says what kind of value this is.
      value.add(2, Float(number))
    case .images(let width, let height, let files, let description):
      value.add(8) { tensor in
        Self.writeStrings(
          [Array("\(width)".utf8), Array("\(height)".utf8)] + files, to: &tensor)
      }
      value.add(9) { metadata in
        metadata.add(1) { $0.add(1, "images") }
        if !description.isEmpty { metadata.add(3, description) }
        metadata.add(4, DataClass.blobSequence.rawValue)
      }
    case .text(let text):
      value.add(8) { $0 = Self.singleString(text) }
      value.add(9) { metadata in
        metadata.add(1) { $0.add(1, "text") }
        metadata.add(4, DataClass.tensor.rawValue)
      }
    case .hyperparameters(let content):
      value.add(9) { metadata in
        metadata.add(1) { data in
          data.add(1, "hparams")
          data.add(2, content.bytes)
        }
      }
    }
  }

  private enum DataClass: Int64 {
    case tensor = 2
    case blobSequence = 3
  }

  /// A `TensorProto` of strings, of rank 1.
  private static func writeStrings(_ strings: [[UInt8]], to tensor: inout ProtobufMessage) {
    let stringType: Int64 = 7
    tensor.add(1, stringType)
    tensor.add(2) { shape in shape.add(2) { $0.add(1, Int64(strings.count)) } }
    for string in strings { tensor.add(8, string) }
  }

  private static func singleString(_ text: String) -> ProtobufMessage {
    var tensor = ProtobufMessage()
    writeStrings([Array(text.utf8)], to: &tensor)
    return tensor
  }
}
