import EspalierPluginKit
import Glibc
import LogFiles

/// The folder of a run, `wandb/run-DATE_TIME-ID`, and its id: those of the training that goes on, or new
/// ones. The run's own folder remembers them in `wandb.json`.
struct RunFolder {
  let folder: LogFolder
  let runID: String
  /// False if the server may have the run.
  let isNew: Bool
  /// True if the folder holds an earlier session.
  let isContinued: Bool
  /// The folder of an earlier session that has been uploaded as a whole, by `wandb sync`, and is closed.
  let earlier: LogFolder?

  static let pointer = "wandb.json"
  private static let owner = "wandb logger"

  init(_ run: RunFacts, _ settings: WandbSettings) throws(PluginError) {
    let home = try LogFolder(run.directory, owner: Self.owner)
    let known = run.resumeStep == nil ? nil : try Self.known(home, settings)
    if let known, settings.mode == .online || !Self.isSynced(known.folder, known.runID) {
      (folder, runID, isNew, isContinued) = (known.folder, known.runID, false, true)
      earlier = nil
      return
    }
    runID = known?.runID ?? settings.runID ?? RunID.random()
    isNew = known == nil && settings.runID == nil
    isContinued = false
    earlier = known?.folder
    let parent = try settings.directory.map { path throws(PluginError) in
      try LogFolder(try Self.absolute(path), owner: Self.owner)
    }
    let wandb = try (parent ?? home).folder("wandb")
    let kind = settings.mode == .offline ? "offline-run" : "run"
    let name = try Self.unused("\(kind)-\(Self.timeStamp())-\(runID)", in: wandb)
    folder = try wandb.folder(name)
    let path = parent == nil ? "wandb/\(name)" : folder.path
    let json = JSONValue.object(["run_id": .string(runID), "folder": .string(path)])
    try home.replace(Self.pointer, with: Array((json.text + "\n").utf8))
  }

  /// The folder of an earlier session of this training; nil if there is none, or if it is another run's.
  private static func known(
    _ home: LogFolder, _ settings: WandbSettings
  ) throws(PluginError) -> (folder: LogFolder, runID: String)? {
    guard let bytes = try home.read(pointer),
      let json = try? JSONValue(parsing: String(decoding: bytes, as: UTF8.self)),
      let id = json["run_id"]?.string, let path = json["folder"]?.string,
      settings.runID == nil || settings.runID == id
    else { return nil }
    let full = path.hasPrefix("/") ? path : home.file(path)
    guard access(full, F_OK) == 0 else { return nil }
    return (try LogFolder(full, owner: owner), id)
  }

  /// The path from the root on, since a resumed training may be started elsewhere.
  private static func absolute(_ path: String) throws(PluginError) -> String {
    guard let found = realpath(path, nil) else {
      throw .invalidArgument(
        "wandb logger: WANDB_DIR (or the option dir) is \(path): \(String(cString: strerror(errno)))"
      )
    }
    defer { free(found) }
    return String(cString: found)
  }

  /// `wandb sync` leaves a mark beside a file that it has uploaded. Uploaded once more, the file's rows would
  /// be there twice.
  private static func isSynced(_ folder: LogFolder, _ runID: String) -> Bool {
    folder.contains(OfflineFile.name(runID) + ".synced")
  }

  private static func unused(_ name: String, in folder: LogFolder) throws(PluginError) -> String {
    var (candidate, number) = (name, 1)
    while folder.contains(candidate) {
      number += 1
      candidate = "\(name)-\(number)"
    }
    return candidate
  }

  /// Local time, as the official client names its folders.
  private static func timeStamp() -> String {
    var now = time(nil)
    var parts = tm()
    localtime_r(&now, &parts)
    var buffer = [CChar](repeating: 0, count: 32)
    let count = strftime(&buffer, buffer.count, "%Y%m%d_%H%M%S", &parts)
    return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
