import CVulkanDriver
import EspalierABI
import EspalierPluginKit
import Glibc

/// A logical device with its one queue: work runs in the order of its submission.
///
/// The host may call for different objects of one device at the same time: every entry from outside holds
/// `lock`, everything inside expects it held.
// SAFETY: the handles never change; `submitted` and `loss` are guarded by `lock`.
final class CommandQueue: @unchecked Sendable {
  let device: VkDevice
  let family: UInt32
  let lock = DeviceLock()
  private let queue: VkQueue
  private let timeline: VkSemaphore
  /// What the timeline reaches when everything submitted so far is done.
  private(set) var submitted: UInt64 = 0
  /// Set for good when the device was lost.
  private var loss: PluginError?

  init(_ facts: vd_facts) throws(PluginError) {
    var device: VkDevice?
    try check(withUnsafePointer(to: facts) { vd_create_device($0, &device) }, "open the device")
    guard let device else { throw driverError(VK_ERROR_UNKNOWN, "open the device") }
    var timeline: VkSemaphore?
    var queue: VkQueue?
    vkGetDeviceQueue(device, facts.queue_family, 0, &queue)
    let result = vd_create_timeline(device, &timeline)
    guard result == VK_SUCCESS, let timeline, let queue else {
      vkDestroyDevice(device, nil)
      throw driverError(result, "create a semaphore")
    }
    self.device = device
    self.queue = queue
    self.timeline = timeline
    family = facts.queue_family
  }

  /// Submits recorded commands.
  ///
  /// - Returns: What the timeline reaches when they are done.
  func submit(_ commands: VkCommandBuffer) throws(PluginError) -> UInt64 {
    try throwIfLost()
    try remembering(vd_submit(queue, commands, timeline, submitted + 1), "submit work")
    submitted += 1
    return submitted
  }

  /// Waits until the timeline reaches `value`.
  ///
  /// A device that makes no progress for ten minutes counts as lost.
  func wait(for value: UInt64) throws(PluginError) {
    try throwIfLost()
    let result = patientWait(for: value)
    try remembering(result == VK_TIMEOUT ? VK_ERROR_DEVICE_LOST : result, "wait for the device")
  }

  /// Waits for everything submitted so far.
  func waitForAll() throws(PluginError) { try wait(for: submitted) }

  /// Waits for everything, if the device still answers.
  func settle() {
    guard loss == nil, submitted > 0 else { return }
    _ = patientWait(for: submitted)
  }

  /// Waits ten minutes at most, in short pieces: a process that was stopped for longer, by Ctrl-Z or with its machine,
  /// loses one of them only.
  private func patientWait(for value: UInt64) -> VkResult {
    for _ in 0..<60 {
      let result = vd_wait(device, timeline, value, 10_000_000_000)
      if result != VK_TIMEOUT { return result }
    }
    return VK_TIMEOUT
  }

  /// Throws what made the device unusable, if it is.
  func throwIfLost() throws(PluginError) {
    if let loss { throw loss }
  }

  private func remembering(_ result: VkResult, _ what: String) throws(PluginError) {
    guard result != VK_SUCCESS else { return }
    let error = driverError(result, what)
    if error.code == ESP_DEVICE_LOST { loss = error }
    throw error
  }

  /// Destroys the device; nothing may be used afterwards.
  func close() {
    settle()
    vkDestroySemaphore(device, timeline, nil)
    vkDestroyDevice(device, nil)
  }
}

/// A lock that its holder may take again.
// SAFETY: the mutex is made in `init` and destroyed in `deinit`; pthread guards everything between.
final class DeviceLock: @unchecked Sendable {
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)

  init() {
    var attributes = pthread_mutexattr_t()
    pthread_mutexattr_init(&attributes)
    pthread_mutexattr_settype(&attributes, Int32(PTHREAD_MUTEX_RECURSIVE))
    pthread_mutex_init(mutex, &attributes)
    pthread_mutexattr_destroy(&attributes)
  }

  deinit {
    pthread_mutex_destroy(mutex)
    mutex.deallocate()
  }

  /// Runs `body` with the lock held.
  func locked<T, Failure>(_ body: () throws(Failure) -> T) throws(Failure) -> T {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return try body()
  }
}
