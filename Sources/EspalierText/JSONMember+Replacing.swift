extension [JSONMember] {
  /// The members with the values of `others`: in the place of the same key, else at the end.
  public func replacing(_ others: [JSONMember]) -> [JSONMember] {
    var members = self
    for other in others {
      if let index = members.firstIndex(where: { $0.key == other.key }) {
        members[index] = other
      } else {
        members.append(other)
      }
    }
    return members
  }
}
