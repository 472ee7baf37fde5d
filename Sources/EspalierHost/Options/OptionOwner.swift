import EspalierText

/// What takes options in a run: a plugin, or a scheduler class.
struct OptionOwner {
  /// In messages: `logger 'csv'`.
  let title: String
  /// What a user may write before the dot; the first one is the plugin's or class's short name.
  let names: [String]
  let options: [PluginOption]

  /// Gives every owner the options that a user set for it, with the types that it describes.
  ///
  /// - Returns: For each owner its options, in the user's order.
  /// - Throws: `OptionError` for the first that does not fit.
  static func settle(
    _ assignments: [OptionAssignment], kind: PluginKind, among owners: [OptionOwner]
  ) throws(OptionError) -> [[JSONMember]] {
    var settled: [[JSONMember]] = owners.map { _ in [] }
    for assignment in assignments {
      let index = try index(of: assignment, kind: kind, in: owners)
      let member = try owners[index].member(assignment)
      guard !settled[index].contains(where: { $0.key == member.key }) else {
        throw .twice(assignment)
      }
      settled[index].append(member)
    }
    return settled
  }

  private static func index(
    of assignment: OptionAssignment, kind: PluginKind, in owners: [OptionOwner]
  ) throws(OptionError) -> Int {
    guard !owners.isEmpty else { throw .nobody(assignment, kind: kind) }
    let names = owners.compactMap(\.names.first)
    guard let plugin = assignment.plugin else {
      guard owners.count == 1 else {
        throw .ambiguous(assignment, kind: kind, names: names)
      }
      return 0
    }
    guard let index = owners.firstIndex(where: { $0.names.contains(plugin) }) else {
      throw .notInUse(assignment, kind: kind, names: names)
    }
    return index
  }

  private func member(_ assignment: OptionAssignment) throws(OptionError) -> JSONMember {
    guard let option = options.first(where: { $0.name == assignment.key }) else {
      throw .unknown(
        assignment, owner: title, plugin: names.first ?? "", options: options.map(\.name).sorted())
    }
    guard let value = option.value(ofText: assignment.value) else {
      throw .value(assignment, allowed: option.allowed)
    }
    return JSONMember(key: option.name, value: value)
  }
}
