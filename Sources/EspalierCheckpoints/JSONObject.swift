import EspalierTensors

/// A configuration file (`config.json`) read key by key; errors name the file and the key.
///
/// A key that is `null` counts as absent.
public struct JSONObject: Sendable {
  /// The file, or what stands for it in messages.
  public let path: String
  private let values: [String: JSONValue]

  /// Reads a JSON file whose top level is an object.
  ///
  /// - Throws: `CheckpointError.file`, `.configuration`.
  public init(contentsOf path: String) throws(CheckpointError) {
    let file: MappedFile
    do {
      file = try MappedFile(path: path)
    } catch {
      throw .file(error)
    }
    self = try withExtendedLifetime(file) { () throws(CheckpointError) in
      try JSONObject(parsing: file.bytes, path: path)
    }
  }

  /// Reads the text of an object; `path` stands for it in messages.
  ///
  /// - Throws: `CheckpointError.configuration`.
  public init(parsing text: some Sequence<UInt8>, path: String) throws(CheckpointError) {
    let value: JSONValue
    do {
      value = try JSONValue(parsing: text)
    } catch {
      throw .configuration(path: path, key: nil, expected: "valid JSON", found: error.description)
    }
    guard let members = value.members else {
      throw .configuration(path: path, key: nil, expected: "an object", found: value.kind)
    }
    self.init(members, path: path)
  }

  /// An object from members; `path` stands for it in messages.
  public init(_ members: [JSONMember], path: String) {
    self.path = path
    values = Dictionary(members.map { ($0.key, $0.value) }) { _, last in last }
  }

  /// The keys, sorted.
  public var keys: [String] { values.keys.sorted() }

  /// True if the key is there and not null.
  public func has(_ key: String) -> Bool { value(key) != nil }

  /// The raw value; nil if absent or null.
  public func value(_ key: String) -> JSONValue? {
    values[key].flatMap { $0.isNull ? nil : $0 }
  }

  /// `_class_name` as Diffusers writes it, else the first of Transformers' `architectures`.
  public var className: String? {
    value("_class_name")?.string ?? value("architectures")?.strings?.first
  }

  public func int(_ key: String) throws(CheckpointError) -> Int {
    try required(key, "a whole number", \.int)
  }
  public func double(_ key: String) throws(CheckpointError) -> Double {
    try required(key, "a number", \.double)
  }
  public func bool(_ key: String) throws(CheckpointError) -> Bool {
    try required(key, "true or false", \.bool)
  }
  public func string(_ key: String) throws(CheckpointError) -> String {
    try required(key, "a string", \.string)
  }
  public func ints(_ key: String) throws(CheckpointError) -> [Int] {
    try required(key, "an array of whole numbers", \.ints)
  }
  public func doubles(_ key: String) throws(CheckpointError) -> [Double] {
    try required(key, "an array of numbers", \.doubles)
  }
  public func strings(_ key: String) throws(CheckpointError) -> [String] {
    try required(key, "an array of strings", \.strings)
  }
  public func members(_ key: String) throws(CheckpointError) -> [JSONMember] {
    try required(key, "an object", \.members)
  }
  public func object(_ key: String) throws(CheckpointError) -> JSONObject {
    JSONObject(try members(key), path: "\(path) (\(key))")
  }

  public func optionalInt(_ key: String) throws(CheckpointError) -> Int? {
    try optional(key, "a whole number", \.int)
  }
  public func optionalDouble(_ key: String) throws(CheckpointError) -> Double? {
    try optional(key, "a number", \.double)
  }
  public func optionalBool(_ key: String) throws(CheckpointError) -> Bool? {
    try optional(key, "true or false", \.bool)
  }
  public func optionalString(_ key: String) throws(CheckpointError) -> String? {
    try optional(key, "a string", \.string)
  }
  public func optionalInts(_ key: String) throws(CheckpointError) -> [Int]? {
    try optional(key, "an array of whole numbers", \.ints)
  }
  public func optionalDoubles(_ key: String) throws(CheckpointError) -> [Double]? {
    try optional(key, "an array of numbers", \.doubles)
  }
  public func optionalStrings(_ key: String) throws(CheckpointError) -> [String]? {
    try optional(key, "an array of strings", \.strings)
  }

  /// A list of `count` whole numbers, or one that stands for all of them, as Diffusers allows for
  /// `transformer_layers_per_block` and its like.
  public func ints(_ key: String, count: Int) throws(CheckpointError) -> [Int] {
    try required(key, "a whole number or an array of \(count)") { value in
      if let one = value.int { return [Int](repeating: one, count: count) }
      return value.ints.flatMap { $0.count == count ? $0 : nil }
    }
  }

  private func required<T>(
    _ key: String, _ expected: String, _ convert: (JSONValue) -> T?
  ) throws(CheckpointError) -> T {
    guard let result = try optional(key, expected, convert) else {
      throw .configuration(path: path, key: key, expected: expected, found: "nothing")
    }
    return result
  }

  private func optional<T>(
    _ key: String, _ expected: String, _ convert: (JSONValue) -> T?
  ) throws(CheckpointError) -> T? {
    guard let value = value(key) else { return nil }
    guard let result = convert(value) else {
      throw .configuration(path: path, key: key, expected: expected, found: value.kind)
    }
    return result
  }
}

extension JSONValue {
  /// Writes the value atomically as Diffusers does: sorted keys, two spaces, a line feed at the
  /// end.
  ///
  /// - Throws: `FileError` if the system refuses.
  public func write(to path: String) throws {
    try AtomicFile.write(fileText, to: path)
  }

  /// The text of a file as Diffusers writes it: sorted keys, two spaces, a line feed at the end.
  public var fileText: String { JSONWriter.indented(self) + "\n" }

  /// The value as compact JSON.
  public var text: String { JSONWriter.compact(self) }

  /// An object from a dictionary.
  public static func object(_ dictionary: [String: JSONValue]) -> JSONValue {
    .object(dictionary.sorted { $0.key < $1.key }.map { JSONMember(key: $0.key, value: $0.value) })
  }
}
