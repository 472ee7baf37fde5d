import LogFiles

/// The pictures that the page holds: all of the first and the last step of each tag, and so many between them
/// as fit into a budget of bytes; what is left out leaves the smallest gap between steps.
struct PictureSets {
  struct PictureSet {
    let step: Int64
    let tag: String
    let pictures: [RunRow.Picture]
    /// Of their files.
    let byteCount: Int
  }

  /// A page that can be mailed: 11 MiB as text.
  static let mostBytes = 8 << 20
  static let mostSets = 200

  private(set) var sets: [PictureSet] = []
  private var byteCount = 0

  /// Adds the pictures of a step and a tag, which replace earlier ones of the same.
  ///
  /// - Returns: The pictures that make room for them.
  mutating func add(_ set: PictureSet) -> [RunRow.Picture] {
    let files = Set(set.pictures.map(\.file))
    var dropped: [RunRow.Picture] = []
    if let same = sets.firstIndex(where: { $0.step == set.step && $0.tag == set.tag }) {
      dropped = remove(at: same).filter { !files.contains($0.file) }
    }
    sets.append(set)
    byteCount += set.byteCount
    while byteCount > Self.mostBytes || sets.count > Self.mostSets, let index = leastMissed {
      dropped += remove(at: index)
    }
    return dropped
  }

  private mutating func remove(at index: Int) -> [RunRow.Picture] {
    let set = sets.remove(at: index)
    byteCount -= set.byteCount
    return set.pictures
  }

  /// Where the set is that lies closest between its neighbours; where no tag has more than two, the oldest.
  /// Nil if there is only one.
  private var leastMissed: Int? {
    var best: (gap: Int64, index: Int)?
    for indices in Dictionary(grouping: sets.indices, by: { sets[$0].tag }).values
    where indices.count > 2 {
      for place in 1..<indices.count - 1 {
        let gap = sets[indices[place + 1]].step - sets[indices[place - 1]].step
        let isBetter = best.map { (gap, indices[place]) < ($0.gap, $0.index) } ?? true
        if isBetter { best = (gap, indices[place]) }
      }
    }
    return best?.index ?? (sets.count > 1 ? 0 : nil)
  }
}
